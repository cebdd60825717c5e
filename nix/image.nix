# The container image, as a script that writes it to standard output. As a file, it would take the model's size in the store again.
#
# Each store path is a layer, so a change to the code pushes only the server's layer and the small one on top.
{
  dockerTools,
  lib,
  manifest,
  root,
  server,
  pins,
  stamp,
  tag ? "latest",
}:
let
  inherit (manifest.workspace) package;
  port = "8000";
  seconds = count: count * 1000 * 1000 * 1000;
in
dockerTools.streamLayeredImage {
  name = "runpod-query";
  inherit tag;
  inherit (stamp) created;
  contents = [ root ];
  fakeRootCommands = ''
    mkdir -p tmp
    chmod 1777 tmp
  '';
  config = {
    # No shell and no wrapper: the server is process 1 and handles SIGTERM itself.
    Entrypoint = [
      "/bin/runpod-query"
      "--settings"
      "/etc/runpod-query.toml"
    ];
    Cmd = [ "serve" ];
    Env = [ "HOME=/tmp" ];
    User = "65534:65534";
    WorkingDir = "/tmp";
    ExposedPorts."${port}/tcp" = { };
    StopSignal = "SIGTERM";
    Healthcheck = {
      Test = [
        "CMD"
        "/bin/runpod-query"
        "health"
      ];
      Interval = seconds 30;
      Timeout = seconds 5;
      StartPeriod = seconds 60;
    };
    Labels = {
      "org.opencontainers.image.title" = "runpod-query";
      "org.opencontainers.image.description" =
        "Embeddings of ${root.model.modelName} in ${root.model.precision} on a CPU";
      "org.opencontainers.image.version" = server.version;
      "org.opencontainers.image.revision" = stamp.revision;
      "org.opencontainers.image.licenses" = lib.concatStringsSep " AND " (
        lib.unique (
          [
            "MIT"
            pins.onnxruntime.license
          ]
          ++ lib.optional (root.model.license != null) root.model.license
        )
      );
    }
    // lib.optionalAttrs (package ? repository) {
      "org.opencontainers.image.source" = package.repository;
    };
  };
}
