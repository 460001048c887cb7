#!/usr/bin/env bash
# The units of deploy/systemd under a systemd that runs: a fresh Debian is booted in a container, Upheld installed by the
# first lines of the guide, every unit started, the service killed and stopped. `make units`; a minute or two.
# Needs root, podman, runc and mmdebstrap. The container goes at the end; the image `localhost/upheld-debian` stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
image=localhost/upheld-debian
packages=systemd,systemd-sysv,dbus,python3-venv,curl,ca-certificates
if ! podman image exists "$image"; then
  mmdebstrap --quiet --variant=minbase --include="$packages" bookworm - | podman import --quiet - "$image" >/dev/null
fi
shared=()
for one in /etc/pip.conf /etc/ssl/certs; do [ -e "$one" ] && shared+=(--volume "$one:$one:ro"); done
given=(--env PIP_DISABLE_PIP_VERSION_CHECK=1)
for one in $(compgen -e | grep -iE '^(pip_(index|extra|trusted|cert|default)|https?_proxy|no_proxy)'); do given+=(--env "$one"); done  # from where packages come
machine=$(podman --runtime runc run --detach --systemd=always --privileged --network=host --cgroupns=host \
  --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 --volume /sys/fs/cgroup/systemd:/sys/fs/cgroup/systemd:rw \
  "${shared[@]}" "$image" /sbin/init)
trap 'podman --runtime runc rm --force "$machine" >/dev/null 2>&1' EXIT
git archive --prefix=source/ HEAD | podman --runtime runc exec --interactive "$machine" tar --extract --directory /
podman --runtime runc exec --interactive "${given[@]}" "$machine" bash -euo pipefail <<'INSIDE'
sleep 3
systemctl is-system-running --wait >/dev/null || true
echo "systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'): $(systemctl is-system-running || true)"
cd /source
sed -n '/^useradd/,/^export PATH/p' docs/operating.md >/tmp/first
source /tmp/first >/dev/null
cp deploy/systemd/* /etc/systemd/system/
mkdir -p /etc/upheld
echo UPHELD_ADDRESS=https://privacy.example.org >/etc/upheld/environment
cd /srv/upheld
as() { runuser -u upheld -- /opt/upheld/bin/upheld "$@"; }
as init --home home --look-up clinic/mobile
as new --name 'Example Clinic' --policy clinic --site clinic.example.org --phone 02-000-0001 --service care \
  --people patient --item name --item mobile --law kr --today 2026-11-01 --out clinic.yaml
as publish clinic.yaml --home home --as-of 2026-11-08 --evidence letter | sed -n 1p
ready() { for _ in $(seq 30); do curl --silent --fail http://127.0.0.1:8000/readyz && echo && return; sleep 1; done; return 1; }
systemctl daemon-reload
systemctl enable --quiet --now upheld.service upheld-{doctor,sweep,seal,prune}.timer upheld-work@1
ready
for one in doctor sweep seal prune; do
  systemctl start "upheld-$one.service"
  echo "upheld-$one.service: $(systemctl show --property Result --value "upheld-$one.service")"
done
kill -KILL "$(systemctl show --property MainPID --value upheld.service)"
sleep 6
ready
systemctl is-active upheld-work@1 upheld-{doctor,sweep,seal,prune}.timer | sort | uniq -c
systemctl stop upheld.service upheld-work@1
for one in upheld.service upheld-work@1; do
  test "$(systemctl show --property Result --value "$one")" = success
done
as verify --home home | tail -n 1
INSIDE
