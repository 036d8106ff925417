#!/usr/bin/env bash
# Installs what the runtimes of the suite `runtimes` need and this machine lacks: Debian packages (as root), koffi by
# npm, JNA and Gson by Maven, the latter into the folder that is given. What is there already is not asked for again.
set -uo pipefail
cd "$(dirname "$0")/../.."
into=$1
mkdir -p "$into"
# Two suites may come here at the same time.
exec 9>"$into/lock"
flock 9

has() { command -v "$1" >/dev/null 2>&1; }

missing=()
has ruby || missing+=(ruby)
has php || missing+=(php-cli)
has luajit || missing+=(luajit)
has mono && has mcs || missing+=(mono-runtime mono-mcs)
has cobc || missing+=(gnucobol3)
has fpc || missing+=(fp-compiler fp-units-rtl)
has gfortran || missing+=(gfortran)
has gnatmake || missing+=(gnat)
[ -e /usr/lib/erlang/usr/include/erl_nif.h ] || missing+=(erlang-base erlang-dev)
has R || missing+=(r-base-core make)
has gcc || missing+=(gcc libc6-dev)
has node || missing+=(nodejs)
has npm || missing+=(npm)
has javac || missing+=(default-jdk-headless)
compgen -G '/usr/lib/jvm/*-2[2-9]*/bin/javac' >/dev/null || missing+=(openjdk-25-jdk-headless)
has mvn || missing+=(maven)
has go || missing+=(golang-go)
perl -MFFI::Platypus -e1 2>/dev/null || missing+=(libffi-platypus-perl)
echo 'package require critcl; package require json' | tclsh 2>/dev/null || missing+=(tcl)
[ -e /usr/share/doc/critcl ] || missing+=(tcl-dev critcl tcllib)
if [ ${#missing[@]} -gt 0 ] && has apt-get && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  # One by one if they cannot be had together, so that one that is not there costs no other.
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    for package in "${missing[@]}"; do apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; done
fi

# What was installed for is kept beside it, so that a change of it installs anew.
if has npm && ! cmp -s examples/node/package.json "$into/node.for"; then
  koffi=$(sed -n 's/.*"koffi": "\(.*\)".*/\1/p' examples/node/package.json)
  rm -rf "$into/node" "$into/node.for" && mkdir -p "$into/node" && npm install --silent --no-audit --no-fund --ignore-scripts --no-save \
    --prefix "$into/node" "koffi@$koffi" typescript@5.9.2 @types/node@20 >/dev/null 2>&1 &&
    cp examples/node/package.json "$into/node.for"
fi
if has mvn && ! cmp -s examples/java/pom.xml "$into/java.for"; then
  mkdir -p "$into/java" && mvn -q -B -f examples/java/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$(realpath "$into")/java/jars" >/dev/null 2>&1 && cp examples/java/pom.xml "$into/java.for"
fi
exit 0
