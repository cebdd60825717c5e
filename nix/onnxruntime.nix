# ONNX Runtime's shared library, from its Python wheel: nixpkgs does not have the version that the `ort` crate requires. The library
# is loaded at run time, because it versions its symbols by exact release.
{
  lib,
  stdenv,
  fetchPypi,
  autoPatchelfHook,
  unzip,
  pins,
}:
let
  pin = pins.onnxruntime;
  wheel =
    pin.systems.${stdenv.hostPlatform.system}
      or (throw "nix/pins.json has no ONNX Runtime for ${stdenv.hostPlatform.system}");
in
stdenv.mkDerivation {
  pname = pin.package;
  inherit (pin) version;

  src = fetchPypi {
    pname = pin.package;
    inherit (pin) version;
    format = "wheel";
    dist = pin.python;
    inherit (pin) python;
    abi = pin.python;
    inherit (wheel) platform;
    hash = pins.hashOf wheel;
  };

  nativeBuildInputs = [ unzip ] ++ lib.optional stdenv.hostPlatform.isLinux autoPatchelfHook;
  buildInputs = lib.optional stdenv.hostPlatform.isLinux (lib.getLib stdenv.cc.cc);

  dontUnpack = true;
  dontConfigure = true;
  dontBuild = true;
  # Stripping breaks the table of symbol versions.
  dontStrip = true;

  installPhase = ''
    runHook preInstall
    mkdir -p "$out/lib" "$out/share/licenses"
    unzip -q -j "$src" ${lib.escapeShellArg wheel.library} -d "$out/lib"
    unzip -q -j "$src" ${lib.escapeShellArgs pin.notices} -d "$out/share/licenses"
    runHook postInstall
  '';

  passthru.library = "lib/${baseNameOf wheel.library}";
  meta = {
    description = "Runs ONNX graphs";
    license = lib.licenses.mit;
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
    platforms = lib.attrNames pin.systems;
  };
}
