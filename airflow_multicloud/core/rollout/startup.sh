#!/bin/sh
# Startup script of airflow-multicloud, the same in every cloud: fetch one artifact, refuse it
# unless its size and SHA-256 are right, unpack it and run its command.
set -eu
umask 022

# settings

root=${MULTICLOUD_ROOT:-/opt/airflow-multicloud}
place=$root/$deployment/$digest
artifact=$place.artifact
start=$place.start
new=$place.new

say() {
    printf 'airflow-multicloud: %s\n' "$*"
}

fail() {
    say "refused: $*"
    exit 1
}

refuse() {
    rm -rf -- "$artifact" "$new"
    fail "$@"
}

is_there() {
    command -v "$1" >/dev/null 2>&1
}

# Prints the HTTP status; fails with 23 when it can't be written, with 63 when it is too long. The
# URL goes through a pipe: every user sees the arguments of a process. Redirects are not followed.
get() {
    if is_there curl; then
        # Before 8.4 curl minds --max-filesize only where the length is told first.
        trap '' XFSZ
        ulimit -f $((size / 512 + 131072)) 2>/dev/null || :
        printf 'url = "%s"\n' "$url" | curl --config - --globoff --fail --silent --show-error \
            --connect-timeout 10 --speed-time 60 --max-filesize "$size" --output "$artifact" \
            --write-out '%{http_code}'
    else
        printf '%s' "$url" | python3 -I -c '
import sys, urllib.error, urllib.request as r
class Stay(r.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
try:
    with r.build_opener(Stay).open(sys.stdin.read(), timeout=60) as answer:
        print(answer.status)
        size, count = int(sys.argv[2]), 0
        if int(answer.headers.get("content-length", 0)) > size:
            sys.exit(63)
        try:
            out = open(sys.argv[1], "wb", buffering=0)
        except OSError:
            sys.exit(23)
        while part := answer.read(min(1 << 20, size + 1 - count)):
            count += len(part)
            if count > size:
                sys.exit(63)
            try:
                while part:
                    part = part[out.write(part) :]
            except OSError:
                sys.exit(23)
        sys.exit(count < int(answer.headers.get("content-length", 0)))
except urllib.error.HTTPError as err:
    print(err.code)
    sys.exit(22)
except Exception as err:
    sys.exit(f"python3: {type(err).__name__}")
' "$artifact" "$size"
    fi
}

# For some five minutes: a network may come up after the machine.
fetch() {
    for pause in 1 2 4 8 15 30 30 30 30 30 30 30 30 0; do
        code=0
        status=$(get) || code=$?
        case $code:$status in
        0:2*) return ;;
        23:*) refuse "it can't be written: is the disk full, or is it longer than $size bytes?" ;;
        63:*) refuse "it is longer than $size bytes" ;;
        *:3*) refuse "its URL answered HTTP $status, a redirect, which is not followed" ;;
        *:408 | *:429) ;;
        *:4*) refuse "its URL answered HTTP $status (400 or 403: it may have expired)" ;;
        esac
        say "fetching the artifact failed (HTTP ${status:-none}, exit status $code)"
        sleep "$pause"
    done
    refuse "it could not be fetched"
}

sha256_of() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

check() {
    found=$(wc -c <"$artifact")
    [ "$found" -eq "$size" ] || refuse "the artifact has $found bytes, expected $size"
    found=$(sha256_of "$artifact")
    [ "$found" = "$sha256" ] || refuse "the artifact's SHA-256 is $found, expected $sha256"
}

unpack() {
    case $kind in
    archive) tar -x --no-same-owner --no-same-permissions -f "$artifact" -C "$new" ;;
    program) cp -- "$artifact" "$new/$name" && chmod 755 "$new/$name" ;;
    esac
}

for tool in $tools cat cp chmod cut id mkdir mv rm sha256sum sleep wc; do
    is_there "$tool" || fail "this image lacks $tool, which is needed"
done
is_there curl || is_there python3 || fail "neither curl nor python3 is there to fetch it with"
mkdir -p -- "$root/$deployment"
if [ -f "$artifact" ] && [ "$(sha256_of "$artifact")" = "$sha256" ]; then
    say "the artifact was fetched before"
else
    fetch
    check
fi
if [ ! -d "$place" ]; then
    rm -rf -- "$new"
    mkdir -- "$new"
    # The artifact is the right one, so it stays: the next start need not fetch it again.
    unpack || { rm -rf -- "$new" && fail "the artifact can't be unpacked"; }
    mv -- "$new" "$place"
fi

cat >"$start" <<'multicloud-end'
# start
multicloud-end

if [ -n "${MULTICLOUD_ROOT:-}" ] || [ ! -d /run/systemd/system ] || [ "$(id -u)" -ne 0 ]; then
    say "runs $place"
    cd -- "$place"
    exec /bin/sh "$start"
fi

# A unit, so that the service comes back after a failure and after a reboot.
unit=airflow-multicloud-$deployment.service
cat >"/etc/systemd/system/$unit" <<multicloud-end
[Unit]
Description=Deployment $deployment of airflow-multicloud
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory=$place
ExecStart=/bin/sh $start
Restart=on-failure
RestartSec=5
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
multicloud-end
systemctl daemon-reload
systemctl enable --now "$unit"
say "runs $place as $unit"
