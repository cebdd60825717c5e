# shellcheck shell=bash
# push IMAGE REPOSITORY TAG...: pushes what IMAGE writes (the result of `nix build .#image`) to REPOSITORY, such as
# docker.io/user/runpod-query, under every TAG, and prints its digest. Log in first if the registry requires it (`skopeo login`).

[ "$#" -ge 3 ] || {
  echo "usage: push IMAGE REPOSITORY TAG..." >&2
  exit 2
}
image=$(realpath "$1")
repository=$2
shift 2

# A local registry has no certificate.
case $repository in
  localhost[:/]* | 127.0.0.1[:/]*) tls=false ;;
  *) tls=true ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# skopeo needs a policy. This one accepts every image, since the image is our own.
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/policy.json"
copy() {
  skopeo --policy "$work/policy.json" copy --retry-times 3 "$@"
}

# Compressed before it is sent, a layer has the digest by which the registry knows it, so an existing layer is not sent again.
"$image" | copy --quiet --dest-compress docker-archive:/dev/stdin "dir:$work/image"
for tag in "$@"; do
  copy --dest-tls-verify="$tls" --digestfile "$work/digest" "dir:$work/image" "docker://$repository:$tag"
done
echo "$repository@$(cat "$work/digest")"
