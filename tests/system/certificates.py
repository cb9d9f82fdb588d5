"""A CA of a test's own, and certificates that it signs. Must not know what they are for."""

import pathlib
import subprocess

DAYS = 2


class Authority:
    """A CA in a folder that every user may read: servers run as users of their own."""

    def __init__(self, folder: pathlib.Path, name: str = "Loa test CA"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.folder = folder
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        self.make(self.certificate, self.key, name, "basicConstraints = critical, CA:true\nkeyUsage = keyCertSign\n")

    def sign(self, name: str, *names: str) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate for a person or program of this name, or for a server at `names` (`DNS:…`, `IP:…`); and its key."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        extensions = "basicConstraints = critical, CA:false\nextendedKeyUsage = serverAuth, clientAuth\n"
        if names:
            extensions += f"subjectAltName = {', '.join(names)}\n"
        self.make(certificate, key, name, extensions, "-CA", str(self.certificate), "-CAkey", str(self.key))
        return certificate, key

    def make(self, certificate: pathlib.Path, key: pathlib.Path, name: str, extensions: str, *signer: str) -> None:
        wanted = certificate.with_suffix(".cnf")
        wanted.write_text(f"[req]\ndistinguished_name = who\nprompt = no\nx509_extensions = what\n[who]\nCN = {name}\n[what]\n{extensions}")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(DAYS),
             "-config", str(wanted), "-keyout", str(key), "-out", str(certificate), *signer],
            check=True, capture_output=True,
        )
        for path in (certificate, key):
            path.chmod(0o644)
