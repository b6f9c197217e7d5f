#!/usr/bin/env bash
# Builds etcd, kube-apiserver, CoreDNS and ExternalDNS from their Go modules into .cache/testbed/bin: the tests' own control plane,
# without containers; and takes the definitions of other projects' kinds from theirs into .cache/testbed/crds. What is there in the
# wanted version is left alone. Needs Go 1.26 or one that fetches it.
set -euo pipefail

ETCD=3.6.16
KUBERNETES=1.36.3
COREDNS=1.15.0
EXTERNAL_DNS=0.21.0
PROMETHEUS_OPERATOR=0.85.0
CILIUM=1.20.2

command -v go > /dev/null || { echo 'Cannot build the control plane: Go is not installed (https://go.dev/dl, 1.26 or later)' >&2 && exit 1; }
cd "$(dirname "$0")/../.."
mkdir -p .cache/testbed/bin
testbed=$PWD/.cache/testbed
export GOFLAGS=-buildvcs=false GOTOOLCHAIN=auto

# is_built PROGRAM VERSION
is_built() { [ -x "$testbed/bin/$1" ] && [ "$(cat "$testbed/$1.version" 2> /dev/null)" = "$2" ]; }

# build PROGRAM MODULE VERSION PACKAGE [LDFLAGS]: inside a module of our own, for `go install` refuses modules with replacements.
build() {
  local program=$1 module=$2 version=v$3 package=$4 ldflags=${5:-}
  local binary=$testbed/bin/$program mark=$testbed/$program.version
  ! is_built "$program" "$version" || return 0
  echo "building $program $version"
  rm -rf "${testbed:?}/$program" && mkdir "$testbed/$program" && cd "$testbed/$program"
  go mod init "testbed/$program" 2> /dev/null
  publish_staging "$module" "$version"
  go get "$package@$version" 2> get.log || { cat get.log >&2 && return 1; }
  go build -trimpath -ldflags "-s -w $ldflags" -o "$binary" "$package"
  echo "$version" > "$mark"
}

# install PACKAGE VERSION: with the versions of its own module and no others. Its dependencies' dependencies, which a module of our
# own would have to read, are not all to be had any more.
install() {
  local program=${1##*/} version=v$2
  ! is_built "$program" "$version" || return 0
  echo "building $program $version"
  GOBIN=$testbed/bin go install -trimpath -ldflags '-s -w' "$1@$version" 2> "$testbed/$program.log" ||
    { cat "$testbed/$program.log" >&2 && return 1; }
  echo "$version" > "$testbed/$program.version"
}

# Kubernetes' own module takes its libraries from folders of its repository; each is published under 0.x as well.
publish_staging() {
  local file library
  file=$(go mod download -json "$1@$2" | sed -n 's/^\t*"GoMod": "\(.*\)",*$/\1/p')
  for library in $(sed -n 's|^\t*\(k8s\.io/[a-z-]*\) => \./staging/.*|\1|p' "$file"); do
    go mod edit -replace "$library=$library@v0.${2#v1.}"
  done
}

# definitions NAME MODULE VERSION FOLDER FILE...: published schemas, for the API server to check manifests by.
definitions() {
  local name=$1 module=$2 version=v$3 folder=$4 file source
  local mark=$testbed/$name.version
  shift 4
  [ "$(cat "$mark" 2> /dev/null)" != "$version" ] || return 0
  mkdir -p "$testbed/crds"
  source=$(go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
  for file in "$@"; do cat "$source/$folder/$file" > "$testbed/crds/$file" || return 1; done
  echo "$version" > "$mark"
}

definitions prometheus-operator github.com/prometheus-operator/prometheus-operator "$PROMETHEUS_OPERATOR" \
  example/prometheus-operator-crd monitoring.coreos.com_servicemonitors.yaml monitoring.coreos.com_prometheusrules.yaml
definitions cilium github.com/cilium/cilium "$CILIUM" pkg/k8s/apis/cilium.io/client/crds/v2 ciliumlocalredirectpolicies.yaml
build etcd go.etcd.io/etcd/server/v3 "$ETCD" go.etcd.io/etcd/server/v3
build coredns github.com/coredns/coredns "$COREDNS" github.com/coredns/coredns
# The API server derives its feature levels from the version that is stamped in.
stamp=k8s.io/component-base/version
build kube-apiserver k8s.io/kubernetes "$KUBERNETES" k8s.io/kubernetes/cmd/kube-apiserver \
  "-X $stamp.gitVersion=v$KUBERNETES -X $stamp.gitMajor=1 -X $stamp.gitMinor=$(cut -d. -f2 <<< "$KUBERNETES")"
install sigs.k8s.io/external-dns "$EXTERNAL_DNS"
