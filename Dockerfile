# syntax=docker/dockerfile:1
# For builders that have only Docker: Nix builds the flake, and an empty image receives the result.

FROM nixos/nix:2.34.8 AS build
# What the image holds: fp16, fp32 or int8, or fp16-int8, of which the setting model.precision chooses.
ARG PRECISION=fp16-int8
WORKDIR /source
COPY . .
# Nix cannot load its own filter of system calls if the builder has one already.
RUN case $PRECISION in fp16) root=root ;; *) root=root-$PRECISION ;; esac \
 && nix --extra-experimental-features "nix-command flakes" --option filter-syscalls false \
      build --print-build-logs --out-link /root-link "path:/source#$root" \
 && mkdir -p /image/nix/store /image/tmp \
 && chmod 1777 /image/tmp \
 && for path in $(nix-store --query --requisites /root-link); do cp -a "$path" /image/nix/store/ || exit; done \
 && cp -a /root-link/. /image/

FROM scratch
COPY --from=build /image /
ENV HOME=/tmp
USER 65534:65534
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["/bin/runpod-query", "--settings", "/etc/runpod-query.toml"]
CMD ["serve"]
