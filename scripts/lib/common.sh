# What scripts/run and scripts/test share. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
stamps=$root/artifacts/stamps

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
# No helper process outlives the script that needed it.
export MSBUILDDISABLENODEREUSE=1
build_options=(--nologo -v quiet -clp:NoSummary -p:UseSharedCompilation=false)

say() { printf '%s\n' "$*"; }

# One sentence that says what is missing and the command that mends it.
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Runs a step, says what it is doing, and shows its output only where it fails.
quietly() { # what, log name, command...
  local what=$1 log=$root/artifacts/logs/$2.log
  shift 2
  mkdir -p "${log%/*}"
  say "$what"
  "$@" > "$log" 2>&1 < /dev/null || {
    local status=$?
    tail -n 60 "$log" >&2
    return "$status"
  }
}

need_dotnet() {
  local install='curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0'
  if ! command -v dotnet > /dev/null && [ -x "$HOME/.dotnet/dotnet" ]; then
    export PATH="$HOME/.dotnet:$PATH"
  fi
  command -v dotnet > /dev/null || die "The .NET 10 SDK is missing; run: $install"
  (cd "$root" && dotnet --version) > /dev/null 2>&1 \
    || die "The .NET SDK here is older than the 10.0 that ChatPay needs; run: $install"
}

need_node() {
  local setup='curl -fsSL https://deb.nodesource.com/setup_20.x | sudo bash - && sudo apt-get install -y nodejs'
  command -v node > /dev/null || die "Node.js 20 is missing; run: $setup"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
    || die "Node.js $(node --version) is older than the 20.19 that ChatPay needs; run: $setup"
  command -v npm > /dev/null || die "npm is missing; run: sudo apt-get install -y npm"
}

# Installs Debian or Ubuntu packages, with sudo where that is needed and can be had.
install_packages() { # package...
  local sudo=()
  command -v apt-get > /dev/null || die "ChatPay needs $*; install it with your system's package manager."
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
      sudo=(sudo)
    else
      die "ChatPay needs $* and may not install packages here; run: sudo apt-get install -y $*"
    fi
  fi
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@")
  quietly "Installing $*" apt "${sudo[@]}" "${install[@]}" 2> /dev/null \
    || { quietly "Updating the list of packages" apt-update "${sudo[@]}" apt-get update \
      && quietly "Installing $*" apt "${sudo[@]}" "${install[@]}"; } \
    || die "Installing $* failed; check the network and run: sudo apt-get update && sudo apt-get install -y $*"
}

need_libsodium() {
  [ "$(uname -s)" = Linux ] || return 0
  { PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2> /dev/null | grep -q 'libsodium\.so\.2[3-9]'; } || install_packages libsodium23
}

find_chromium() {
  local name
  for name in "${CHATPAY_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name" > /dev/null && "$name" --version > /dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  return 1
}

need_chromium() {
  find_chromium > /dev/null || install_packages chromium
  CHATPAY_CHROMIUM=$(find_chromium) \
    || die "No Chromium that runs was found; install one and name it: CHATPAY_CHROMIUM=/path/to/chromium $0"
  export CHATPAY_CHROMIUM
}

# The program alone: tests start their own, and a service of the system is neither needed nor touched.
need_redis() { command -v redis-server > /dev/null || install_packages redis-server; }

# Installs the packages of a folder's lock file; again only where the lock file or Node.js has changed.
npm_install() { # folder, what
  local folder=$root/$1 stamp key
  stamp=$folder/node_modules/.chatpay-stamp
  key=$(node --version)-$(node -p 'process.platform + process.arch')-$(cksum < "$folder/package-lock.json")
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ] && return
  # A download that stalls is asked for again after a minute; npm by itself would wait for five.
  quietly "Fetching $2" "npm-$(basename "$1")" \
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error --fetch-timeout=60000 --fetch-retries=5 \
    || die "Fetching $2 failed; check the network and run: npm ci --prefix $1"
  printf '%s' "$key" > "$stamp"
}

# Whether anything under the paths is newer than the stamp of that name. A folder is newer when a file was removed from it;
# the paths' own folders do not count, because a build makes its output in them.
is_stale() { # stamp name, path...
  local stamp=$stamps/$1
  shift
  [ ! -f "$stamp" ] || [ -n "$(cd "$root" && find "$@" \( -name bin -o -name obj -o -name node_modules -o -name dist \) -prune \
    -o \( -type f -o -type d ! -name 'ChatPay.*' ! -name web \) -newer "$stamp" -print -quit 2> /dev/null)" ]
}

# A stamp says when the work began, so that a change made meanwhile counts as new.
begin_stamp() {
  mkdir -p "$stamps"
  : > "$stamps/$1.begun"
}
set_stamp() { mv "$stamps/$1.begun" "$stamps/$1"; }

dotnet_sources=(ChatPay.Core ChatPay.Client ChatPay.Server Directory.Build.props Directory.Packages.props
  BannedSymbols.txt .editorconfig global.json)

restore() { # project or solution
  quietly "Fetching .NET packages" restore dotnet restore "$root/$1" -v quiet --nologo \
    || die "Fetching .NET packages failed; check the network and run: dotnet restore $1"
}

build_server() { # configuration
  local name=server-$1
  is_stale "$name" "${dotnet_sources[@]}" || return 0
  begin_stamp "$name"
  restore ChatPay.Server
  quietly "Building the server" "build-$name" \
    dotnet build "$root/ChatPay.Server" -c "$1" --no-restore "${build_options[@]}" \
    || die "Building the server failed; the output is above and in artifacts/logs/build-$name.log"
  set_stamp "$name"
}

build_web() {
  npm_install web "packages of the web client"
  if [ -f "$root/web/dist/index.html" ] && ! is_stale web web; then
    return
  fi
  begin_stamp web
  quietly "Building the web client" build-web npm run build --prefix "$root/web" \
    || die "Building the web client failed; the output is above and in artifacts/logs/build-web.log"
  set_stamp web
}

embedded_folder=ChatPay.Server/Database/Embedded
need_postgres() { npm_install "$embedded_folder" "PostgreSQL 18"; }
