# The image without a container tool: Debian as debootstrap makes it, which has what debian:12-slim has and no more that is
# asked for here, the published tool in it, its file system read-only and its user that of the Dockerfile. Sourced by image.sh.

debian=$work/debian
# inside COMMAND...: what runs it as the image's user, in its place. The mounts are of that process alone.
inside() {
    command=(unshare --mount --propagation private sh -c 'debian=$0
        mount --bind "$debian" "$debian" && mount -t proc proc "$debian/proc" && mount --bind /dev "$debian/dev" &&
            mount --bind "$debian.data" "$debian/data" && mount -o remount,bind,ro "$debian" && exec "$@"' "$debian" \
        chroot --userspec="$user" --groups= "$debian" env -i HOME=/ DOTNET_EnableDiagnostics=0 ATROUS_PORT=$debian_port \
        PATH=/app:/usr/sbin:/usr/bin:/sbin:/bin "$@")
}
in_debian() { inside "$@" && "${command[@]}"; }
as_debian_root() { # a package's scripts look for /proc
    unshare --mount --propagation private sh -c 'mount -t proc proc "$0/proc" && chroot "$0" "$@"' "$debian" \
        env DEBIAN_FRONTEND=noninteractive "$@"
}
no_writes() { ! in_debian /usr/bin/touch /app/x && ! in_debian /usr/bin/touch /x && in_debian /usr/bin/touch /data/x; }
segments_in_debian() { # name of the mask, options
    local mask=$1
    shift
    in_debian /app/atrous segment /data/1005.jpg -o "/data/$mask" "$@" && cmp "$debian.data/$mask" "$work/data/masks/1005.mask.png"
}
says_what_is_missing() { # command...
    in_debian "$@" 2>"$work/error"
    [ $? = 2 ] && cat "$work/error" && tail -1 "$work/error" | grep -q 'needs OpenSSL, which this system lacks'
}
serves_in_debian() { # curl's address, options of serve: ready by the health check, a mask, an end by SIGTERM
    local address=$1 id code=1
    shift
    debian_port=$((20000 + RANDOM % 20000))
    ! in_debian /app/ready || return 1
    inside /app/atrous serve --host '*' --port "$debian_port" --drain-delay 0 "$@"
    "${command[@]}" >"$work/debian.txt" 2>&1 &
    id=$!
    for _ in $(seq 150); do in_debian /app/ready 2>/dev/null && code=0 && break || sleep 0.2; done
    [ $code = 0 ] && curl -skf -H "Authorization: Bearer $token" --data-binary "@$root/samples/scenes/1005.jpg" \
        "$address:$debian_port/v1/segment?format=json" | grep -q '"road"' || code=1
    kill -TERM $id && wait $id || code=1
    cat "$work/debian.txt"
    return $code
}
packages_of_dockerfile() { sed -n 's/^ *apt-get install -y --no-install-recommends \([a-z0-9 -]*\) &&.*/\1/p' "$root/Dockerfile"; }

try_debian() {
    local base release
    base=$(sed -n 's/^ARG BASE=//p' "$root/Dockerfile")
    declare -A named=([debian:12-slim]=bookworm [debian:13-slim]=trixie)
    release=${named[$base]:-}
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null || [ -z "$release" ]; then
        skip "the image in Debian: it takes root and debootstrap"
        return
    fi
    if ! debootstrap --variant=minbase "$release" "$debian" >"$work/debootstrap.txt" 2>&1; then
        tail -3 "$work/debootstrap.txt"
        skip "the image in Debian: debootstrap could not make $release"
        return
    fi
    cp -r "$work/app" "$debian/app" && mkdir -p "$debian/data" "$debian.data" && chmod 755 "$work/debian" &&
        chmod 777 "$debian.data" && cp "$root/samples/scenes/1005.jpg" "$debian.data/"
    token=0123456789abcdef debian_port=1
    echo $token >"$debian.data/token"
    check "in Debian, that user can write nothing but /data" no_writes
    check "in Debian without OpenSSL, a picture is segmented as here" segments_in_debian plain.png
    check "in Debian without OpenSSL, a run that needs it says so" says_what_is_missing \
        /app/atrous segment /data/1005.jpg -o /data/m.png --skip-existing
    check "in Debian without OpenSSL, so does a server with a token" says_what_is_missing \
        /app/atrous serve --token-file /data/token
    check "in Debian without OpenSSL, the server is ready by its health check, segments and ends by SIGTERM" \
        serves_in_debian http://127.0.0.1
    read -ra wanted < <(packages_of_dockerfile)
    if ! { as_debian_root apt-get update && as_debian_root apt-get install -y --no-install-recommends "${wanted[@]:?}"; } \
        >"$work/apt.txt" 2>&1; then
        tail -3 "$work/apt.txt"
        skip "the image in Debian: ${wanted[*]} could not be installed"
        return
    fi
    check "in Debian with what the Dockerfile installs, a run records what its masks are made of" \
        in_debian /app/atrous segment /data/1005.jpg -o /data/m.png --skip-existing
    check "in Debian, OpenSSL makes a certificate" in_debian openssl req -x509 -newkey rsa:2048 -nodes -days 2 \
        -subj /CN=localhost -keyout /data/key.pem -out /data/cert.pem
    check "in Debian, a server with TLS and a token is ready by its health check, segments and ends by SIGTERM" \
        serves_in_debian https://127.0.0.1 --tls-cert /data/cert.pem --tls-key /data/key.pem --token-file /data/token
}
try_debian
