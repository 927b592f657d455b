#!/bin/sh
# Usage: servers.sh PACKAGE ...  Installs the Debian packages that tests need and that are missing: as root it does so,
# otherwise it says what to install and fails. Tests never skip for want of a server.
set -eu
missing=""
for package in "$@"; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then
    echo "Installing what the tests need:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null
    # Nothing of these is to run by itself: tests start their own, on their own ports, in their own networks.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d.dalel
    chmod +x /usr/sbin/policy-rc.d.dalel
    [ -e /usr/sbin/policy-rc.d ] || { mv /usr/sbin/policy-rc.d.dalel /usr/sbin/policy-rc.d; made=yes; }
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -q --no-install-recommends $missing >/dev/null
    rm -f /usr/sbin/policy-rc.d.dalel
    [ "${made:-}" != yes ] || rm -f /usr/sbin/policy-rc.d
else
    echo "The tests need these Debian packages:$missing" >&2
    echo "Install them with: sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
