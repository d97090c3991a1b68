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

refuse() {
    rm -rf -- "$artifact" "$new"
    say "refused: $*"
    exit 1
}

is_there() {
    command -v "$1" >/dev/null 2>&1
}

# Prints the HTTP status. The URL goes through a pipe: every user sees the arguments of a process.
get() {
    if is_there curl; then
        printf 'url = "%s"\n' "$url" | curl --config - --globoff --fail --silent --show-error \
            --connect-timeout 10 --speed-time 60 --output "$artifact" --write-out '%{http_code}'
    else
        printf '%s' "$url" | python3 -I -c '
import shutil, sys, urllib.error, urllib.request
try:
    with urllib.request.urlopen(sys.stdin.read(), timeout=60) as answer:
        print(answer.status)
        with open(sys.argv[1], "wb") as out:
            shutil.copyfileobj(answer, out)
            sys.exit(out.tell() < int(answer.headers.get("content-length", 0)))
except urllib.error.HTTPError as err:
    print(err.code)
    sys.exit(22)
except Exception as err:
    sys.exit(f"python3: {type(err).__name__}")
' "$artifact"
    fi
}

fetch() {
    is_there curl || is_there python3 || refuse "neither curl nor python3 is there to fetch it with"
    for pause in 1 2 4 8 0; do
        status=$(get) && return
        case $status in
        408 | 429) ;;
        4*) refuse "its URL answered HTTP $status (400 or 403: it may have expired)" ;;
        esac
        say "fetching the artifact failed (HTTP ${status:-none})"
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
    unpack || refuse "the artifact can't be unpacked"
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
