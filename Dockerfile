# syntax=docker/dockerfile:1
# For builders that know only Docker: the flake builds, an empty image receives what it built.

FROM nixos/nix:2.34.8 AS build
ARG PRECISION=fp32
SHELL ["/bin/sh", "-o", "pipefail", "-c"]
WORKDIR /source
COPY . .
RUN root=root$([ "$PRECISION" = fp32 ] || echo "-$PRECISION") \
 && nix --extra-experimental-features "nix-command flakes" --option filter-syscalls false \
      build --print-build-logs --out-link /root-link "path:/source#$root" \
 && mkdir -p /image/nix/store /image/tmp \
 && chmod 1777 /image/tmp \
 && nix-store --query --requisites /root-link | xargs -I{} cp -a {} /image/nix/store/ \
 && cp -a /root-link/. /image/

FROM scratch
COPY --from=build /image /
ENV HOME=/tmp
USER 65534:65534
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["/bin/runpod-query", "--settings", "/etc/runpod-query.toml"]
CMD ["serve"]
