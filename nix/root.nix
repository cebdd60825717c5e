# The file system of a container, for the image and for the Dockerfile.
{
  dockerTools,
  lib,
  linkFarm,
  symlinkJoin,
  server,
  settings,
  model,
}:
symlinkJoin {
  name = "runpod-query-root-${model.name}";
  paths = [
    (linkFarm "runpod-query-files" {
      "bin/runpod-query" = lib.getExe server;
      "etc/runpod-query.toml" = settings.override { inherit model; };
    })
    # Webhooks and RunPod's queue are called over HTTPS.
    dockerTools.caCertificates
    # The user that the container runs as.
    dockerTools.fakeNss
  ];
  passthru = { inherit model; };
}
