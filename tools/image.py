"""Build the container image and run it as a container would: `make image`. Needs root, buildah, unshare and setpriv.

Where no registry answers, the base is Debian with its own Python, made by mmdebstrap; what is said at the end names it.
The image is run in namespaces of its own: the root mounted read-only, /tmp in memory, the user and the command of the
image, no capability, nothing that gives more rights; `/readyz` is asked, and the process ended by the image's signal.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
TAG, OWN_BASE, PORT = "upheld:0.1.0", "localhost/upheld-base:bookworm", 18000
PATIENCE = 60
_SHARED = ("/etc/ssl/certs", "/etc/pip.conf")
"""What the build sees of this machine: its authorities, and from where packages come."""


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.strip()


def base() -> str | None:
    """A base of our own, where the one that the file names can't be had; None where it can."""
    named = next(line.partition("=")[2] for line in _containerfile() if line.startswith("ARG BASE="))
    if subprocess.run(["buildah", "pull", "--quiet", named], capture_output=True, check=False).returncode == 0:
        return None
    if subprocess.run(["buildah", "inspect", "--type", "image", OWN_BASE], capture_output=True, check=False).returncode:
        with tempfile.TemporaryDirectory() as folder:
            packed = f"{folder}/base.tar"
            wanted = "--include=python3,python3-venv,python-is-python3,ca-certificates"
            _told("mmdebstrap", "--quiet", "--variant=minbase", wanted, "bookworm", packed)
            made = _told("buildah", "from", "scratch")
            _told("tar", "-xf", packed, "-C", _told("buildah", "mount", made))
            _told("buildah", "commit", "--quiet", "--rm", made, OWN_BASE)
    return OWN_BASE


def _containerfile() -> list[str]:
    return (ROOT / "deploy/Containerfile").read_text("utf-8").splitlines()


def build(own: str | None) -> None:
    """Build the image by the file that is shipped, as it stands."""
    shared = [f"--volume={one}:{one}:ro" for one in _SHARED if Path(one).exists()]
    chosen = ["--pull-never", "--build-arg", f"BASE={own}"] if own else []
    _told("buildah", "bud", "--quiet", "--format=docker", "--isolation=chroot", *shared, *chosen,
          "--file=deploy/Containerfile", f"--tag={TAG}", ".")  # fmt: skip


def run() -> str:
    """Run the image: make a home in its volume, serve, ask whether it is ready, stop it. What it answered."""
    about = json.loads(_told("buildah", "inspect", "--type", "image", TAG))["Docker"]["config"]
    made = _told("buildah", "from", "--pull-never", TAG)
    volume = Path(tempfile.mkdtemp(prefix="upheld-volume-"))
    user, group = map(int, about["User"].split(":"))
    os.chown(volume, user, group)
    try:
        root = _told("buildah", "mount", made)
        _contained(root, volume, about, ["init", "--home", "/srv/upheld/home"]).wait(PATIENCE)
        serving = [*about["Cmd"], "--port", str(PORT)]
        with _contained(root, volume, about, serving) as service:
            try:
                return _ready(service)
            finally:
                service.send_signal(getattr(signal, about["StopSignal"]))
                if service.wait(PATIENCE) != 0:
                    sys.exit(f"the service ended with {service.returncode}")
    finally:
        _told("buildah", "rm", made)
        shutil.rmtree(volume)


_INSIDE = """
set -e
mount --bind "$ROOT" "$ROOT" && mount --bind "$VOLUME" "$ROOT/srv/upheld"
mount -o remount,bind,ro "$ROOT" && mount -t tmpfs tmpfs "$ROOT/tmp" && mount -t proc proc "$ROOT/proc"
if chroot "$ROOT" touch /opt/written 2>/dev/null; then echo "the root can be written to" >&2; exit 1; fi
cd /
exec chroot "$ROOT" /usr/bin/env -i $ENVIRONMENT /usr/bin/setpriv --reuid "$USER" --regid "$GROUP" --clear-groups \
  --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


def _contained(root: str, volume: Path, about: dict[str, object], command: list[str]) -> subprocess.Popen[str]:
    user, _, group = str(about["User"]).partition(":")
    given = {
        "ROOT": root, "VOLUME": str(volume), "USER": user, "GROUP": group, "PATH": os.environ["PATH"],
        "ENVIRONMENT": " ".join(about["Env"]),  # type: ignore[arg-type]  # a list of texts
    }  # fmt: skip
    words = [*about["Entrypoint"], *command]  # type: ignore[misc]  # a list of texts
    apart = ["unshare", "--mount", "--ipc", "--uts", "bash", "-c", _INSIDE, "--", *words]
    return subprocess.Popen(apart, env=given, text=True)


def _ready(service: subprocess.Popen[str]) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and service.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=4) as answer:
                return f"{answer.status} {answer.read().decode()}"
        except OSError:
            time.sleep(0.5)
    sys.exit("the service did not become ready")


def main() -> None:
    """Build and run; say what was built on what."""
    own = base()
    build(own)
    print(f"built {TAG} on {own or 'the base that the file names'}")
    print(f"ready: {run()}")


if __name__ == "__main__":
    main()
