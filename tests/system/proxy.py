"""A real nginx in front, with its cache on, as `deploy/nginx/loa.conf` sets it up: only names of machines and folders differ."""

import os
import pathlib
import re
import shutil
import subprocess

from broker import die_with_owner, free_port
from installation import REPOSITORY, Installation, http, until

SERVICES = ("intake", "feed", "digest", "push", "console")


class Nginx:
    """Started at once; ends with its owner. `one_address`: where everybody is led; then there is a listener with TLS, too.
    `strangers`: whoever asks is from no office, though all of them are on this machine."""

    def __init__(self, folder: pathlib.Path, loa: Installation, one_address: str = "", strangers: bool = False):
        self.folder, self.loa, self.one_address, self.strangers = folder, loa, one_address, strangers
        self.port, self.tls_port = free_port(), free_port()
        program = os.environ.get("LOA_NGINX") or shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program, "nginx is not here: apt-get install --no-install-recommends nginx (or let ./tests/run do it)"
        self.error_log = folder / "error.log"
        config = folder / "nginx.conf"
        config.write_text(self.configuration())
        self.process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(config), "-e", str(self.error_log)],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_owner,
        )
        until(10, "nginx answers", lambda: http("GET", f"{self.url}/healthz").status in (301, 404))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configuration(self) -> str:
        """The deployed file with this machine's addresses, inside the least that nginx needs around it."""
        deployed = (REPOSITORY / "deploy/nginx/loa.conf").read_text()
        own = deployed.replace("listen 8080;", f"listen 127.0.0.1:{self.port};")
        own = own.replace("/var/cache/nginx/loa", str(self.folder / "cache"))
        if self.strangers:
            own, replaced = re.subn(r"^ +127\.0\.0\.0/8 +1;$", "", own, flags=re.M)
            assert replaced == 1, "the deployed file says which networks are offices"
        if self.one_address:
            own = own.replace('default "";', f'default "{self.one_address}";', 1)
            own = own.replace("    server_name _;", f"    {self.with_tls()}\n    server_name _;")
        own = re.sub(r"^ *resolver .*$", "", own, flags=re.M)
        for service in SERVICES:
            address = self.loa.url(service).removeprefix("http://")
            own, replaced = re.subn(rf"(set \${service} +){service}:\d+;", rf"\g<1>{address};", own)
            assert replaced == 1, f"the deployed file says where {service} is"
        temporary = "\n".join(
            f"    {kind}_temp_path {self.folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return (f"daemon off;\nmaster_process off;\npid {self.folder / 'nginx.pid'};\nevents {{}}\n"
                f"http {{\n    access_log off;\n{temporary}\n{own}\n}}\n")

    def with_tls(self) -> str:
        """What the deployed file says is to be added in production."""
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=loa.example.gov.vn",
             "-out", str(certificate), "-keyout", str(key)], check=True, capture_output=True, timeout=30)
        return (f"listen 127.0.0.1:{self.tls_port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};")

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)
