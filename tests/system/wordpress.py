"""A real WordPress of Debian's package: on a MariaDB of its own, served by php-fpm behind nginx as hosts do, with Loa's plugin
(`deploy/connectors/wordpress/loa.php`) on. Everything is in one folder, on loopback, and ends with its owner.

At `plain_url` the same site is served as by mod_php: a response cannot go out before its request ends.
Editors work as the block editor does, over WordPress' REST API with a login; administrators by the pages of wp-admin. WP-Cron
runs when a test calls it (`cron`), as a system cron would. Must not know what Loa does with an article.
"""

import base64
import functools
import http.cookiejar
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import zlib

from broker import die_with_owner, free_port
from database import children
from installation import REPOSITORY, Answer, http as ask, until

PLUGIN = REPOSITORY / "deploy/connectors/wordpress/loa.php"
TITLE = "Trang tin điện tử xã Na Son"
PASSWORD = "mật-khẩu 12"
SHORT_PAUSES = "<?php add_filter('loa_pause_seconds', function () { return 1; });\n"
# What YouTube answers WordPress (oEmbed); tests have no network.
YOUTUBE = """<?php add_filter('pre_oembed_result', function ($html, $url) {
    return strpos($url, 'youtube.com') ? '<iframe title="Video" width="500" height="281" src="https://www.youtube.com/embed/'
        . 'dQw4w9WgXcQ?feature=oembed" frameborder="0" allowfullscreen></iframe>' : $html;
}, 10, 2);
"""
# A plugin that cannot cope with an article.
BROKEN = """<?php add_shortcode('hong', function () { if (!is_user_logged_in()) throw new RuntimeException('bảng giá không mở được'); return ''; });
add_shortcode('thanh_vien', function () { return is_user_logged_in() ? 'chỉ cho thành viên' : 'mời đăng nhập'; });
"""

# What plugins do: each looks where it is; one ends PHP, one cuts a letter in two, one makes types of posts.
CONTEXT = """<?php add_shortcode('ngoai_trang', function () { return is_admin() ? '' : 'bảng ngoài trang'; });
add_shortcode('bai_khac', function () { $others = new WP_Query(array('posts_per_page' => 1, 'post__not_in' => array(get_the_ID())));
    while ($others->have_posts()) $others->the_post(); wp_reset_postdata(); return ''; });
add_shortcode('bai_nay', function () { return 'bài số ' . get_the_ID(); });
add_shortcode('tieng', function () { return 'tiếng ' . $GLOBALS['tieng']; });
add_shortcode('dung_php', function () { if (is_feed()) exit; return ''; });
add_shortcode('nua_chu', function () { return substr('Thông báo', 0, 3); });
add_filter('the_content', function ($text) { return is_feed() || !strpos($text, 'bảng ngoài') ? $text : "$text<p>Chia sẻ lên Zalo</p>"; }, 99);
add_action('change_locale', function ($locale) { $GLOBALS['tieng'] = $locale; });
add_action('init', function () {
    $GLOBALS['tieng'] = determine_locale();
    register_post_type('noi_bo', array('public' => false));
    if (!get_option('tat_van_ban')) register_post_type('van_ban', array('public' => true, 'label' => 'Văn bản'));
});
"""


def png(side: int = 64) -> bytes:
    """A grey picture. One of a pixel would be taken for a counter, and left out."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x80" * side for _ in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def given(name: str) -> str:
    """A path that `tests/run` found or made."""
    path = os.environ.get(name)
    assert path and os.path.exists(path), f"WordPress is not here ({name}): let ./tests/run system make it"
    return path


class WordPress:
    """Started and set up at once; `end` when done."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.port, self.plain_port, self.processes = folder, free_port(), free_port(), []
        self.site, self.url, self.plain_url = folder / "share/wordpress", f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.plain_port}"
        self.start_mariadb()
        self.unpack()
        self.start_fpm()
        self.start_nginx()
        self.install()

    # ── its parts ──

    def start(self, name: str, *arguments: str, stop: int = signal.SIGTERM, **environment: str) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(
                arguments, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=os.environ | environment, preexec_fn=functools.partial(die_with_owner, stop)))

    def start_mariadb(self) -> None:
        data = self.folder / "mariadb"
        me = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(["mariadb-install-db", "--no-defaults", *me, f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, capture_output=True, timeout=60)
        self.socket = self.folder / "db.sock"
        # Durable where a process is killed, not where a machine is: that is not what is tested here.
        self.start("mariadb", "/usr/sbin/mariadbd", "--no-defaults", *me, f"--datadir={data}", f"--socket={self.socket}", "--skip-networking",
                   "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", f"--pid-file={self.folder / 'db.pid'}")
        until(30, "MariaDB answers", self.socket.exists)
        self.php_alone(f"$db = new mysqli('localhost', 'root', '', '', 0, '{self.socket}'); $db->query('CREATE DATABASE wordpress CHARACTER SET utf8mb4');")

    def unpack(self) -> None:
        """A copy, since each site has its own configuration and content beside the program."""
        package = pathlib.Path(given("LOA_WORDPRESS"))
        shutil.copytree(package, self.site, symlinks=True)
        (self.site.parent / "php").symlink_to(package.parent / "php")
        for name in ("uploads", "mu-plugins", "plugins/loa", "languages"):
            (self.site / "wp-content" / name).mkdir(exist_ok=True)
        # A catalogue of its head alone (GNU MO): WordPress is set to Vietnamese, its own words stay English.
        (self.site / "wp-content/languages/vi.mo").write_bytes(struct.pack("<11I", 0x950412DE, 0, 1, 28, 36, 0, 44, 0, 44, 13, 45) + b"\0Language: vi\n\0")
        (self.site / "wp-content/plugins/loa/loa.php").symlink_to(PLUGIN)
        for name, text in (("pauses", SHORT_PAUSES), ("youtube", YOUTUBE), ("broken", BROKEN), ("context", CONTEXT)):
            (self.site / f"wp-content/mu-plugins/{name}.php").write_text(text)
        self.live_at(self.url)
        (self.site / "wp-config.php").write_text(f"""<?php
            if (is_file('{self.folder}/own.php')) require '{self.folder}/own.php';
            define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:{self.socket}');
            define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', ''); define('AUTH_KEY', 'a'); define('SECURE_AUTH_KEY', 'b');
            define('LOGGED_IN_KEY', 'c'); define('NONCE_KEY', 'd'); define('AUTH_SALT', 'e'); define('SECURE_AUTH_SALT', 'f');
            define('LOGGED_IN_SALT', 'g'); define('NONCE_SALT', 'h'); define('WP_HOME', file_get_contents('{self.folder}/home')); define('WP_SITEURL', '{self.url}');
            define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1');
            define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', false); define('WP_DEBUG_LOG', '{self.folder}/debug.log');
            $table_prefix = 'xa_';
            if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
            require_once ABSPATH . 'wp-settings.php';
            """)

    def live_at(self, url: str) -> None:
        """Says which address is the site's own, as after a move or in a copy."""
        (self.folder / "home").write_text(url)

    def start_fpm(self) -> None:
        own = "user = root\ngroup = root\n" if os.geteuid() == 0 else ""
        (self.folder / "fpm.conf").write_text(
            f"[global]\ndaemonize = no\nerror_log = {self.folder}/fpm-errors.log\n"
            f"[www]\n{own}listen = {self.folder}/fpm.sock\npm = static\npm.max_children = 4\n"
            f"[plain]\n{own}listen = {self.folder}/plain.sock\npm = static\npm.max_children = 1\n"
            "php_admin_value[disable_functions] = fastcgi_finish_request\n")
        scanned = subprocess.run(["php", "-r", "echo PHP_CONFIG_FILE_SCAN_DIR;"], check=True, capture_output=True, text=True, timeout=10).stdout
        root = ["--allow-to-run-as-root"] if own else []
        self.start("fpm", given("LOA_PHP_FPM"), "--nodaemonize", *root, "--fpm-config", str(self.folder / "fpm.conf"), PHP_INI_SCAN_DIR=scanned)
        until(10, "php-fpm answers", (self.folder / "fpm.sock").exists)

    def start_nginx(self) -> None:
        program = os.environ.get("LOA_NGINX") or shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        temporary = "".join(f"{kind}_temp_path {self.folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        parameters = "".join(f"fastcgi_param {name} ${value};" for name, value in (
            ("QUERY_STRING", "query_string"), ("REQUEST_METHOD", "request_method"), ("CONTENT_TYPE", "content_type"),
            ("CONTENT_LENGTH", "content_length"), ("SCRIPT_NAME", "fastcgi_script_name"), ("REQUEST_URI", "request_uri"),
            ("DOCUMENT_ROOT", "document_root"), ("SERVER_PROTOCOL", "server_protocol"), ("REMOTE_ADDR", "remote_addr"),
            ("SERVER_NAME", "server_name"), ("SERVER_PORT", "server_port"), ("SCRIPT_FILENAME", "document_root$fastcgi_script_name")))
        servers = "".join(
            f"server {{ listen 127.0.0.1:{port}; root {self.site}; index index.php; client_max_body_size 8m;\n"
            f"location / {{ try_files $uri $uri/ /index.php?$args; }}\n"
            f"location ~ \\.php$ {{ fastcgi_pass unix:{self.folder}/{pool}.sock; {parameters} }} }}\n"
            for port, pool in ((self.port, "fpm"), (self.plain_port, "plain")))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/nginx.pid; events {{}}\nhttp {{ access_log off; {temporary} {servers} }}\n")
        self.start("nginx", program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", str(self.folder / "nginx-errors.log"))

    def install(self) -> None:
        """What the wizard does, without it; then people, categories' addresses and the plugin."""
        self.php(f"""
            require_once ABSPATH . 'wp-admin/includes/upgrade.php'; require_once ABSPATH . 'wp-admin/includes/plugin.php';
            wp_install('{TITLE}', 'quantri', 'quantri@nason.example', true, '', '{PASSWORD}', 'vi');
            update_option('timezone_string', 'Asia/Ho_Chi_Minh');
            update_option('permalink_structure', '/%year%/%postname%/');
            wp_insert_user(array('user_login' => 'bientap', 'user_pass' => '{PASSWORD}', 'user_email' => 'bt@nason.example', 'role' => 'editor',
                'display_name' => 'Lò Thị Mai'));
            $wrong = activate_plugin('loa/loa.php'); if (is_wp_error($wrong)) die($wrong->get_error_message());
            """, "define('WP_INSTALLING', true);")
        self.php("flush_rewrite_rules();")
        until(10, "WordPress answers", lambda: ask("GET", f"{self.url}/").status == 200)

    def php_alone(self, code: str) -> str:
        done = subprocess.run(["php"], input=f"<?php {code}", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def php(self, code: str, before: str = "") -> str:
        """Runs code inside WordPress, as a process of its own, and returns what it printed."""
        return self.php_alone(f"$_SERVER['HTTP_HOST'] = '127.0.0.1:{self.port}'; {before} require '{self.site}/wp-load.php'; {code}")

    def query(self, sql: str) -> list[list[str]]:
        """What the database says, without WordPress."""
        return json.loads(self.php_alone(
            f"$db = new mysqli('localhost', 'root', '', 'wordpress', 0, '{self.socket}'); $db->set_charset('utf8mb4');"
            f"echo json_encode($db->query({json.dumps(sql)})->fetch_all());"))

    def kill_php(self) -> None:
        """kill -9 to every request that is under way; php-fpm starts new workers."""
        master = next(process for process in self.processes if "php-fpm" in process.args[0])
        for worker in children(master.pid):
            os.kill(worker, signal.SIGKILL)

    def save_in_admin(self, post: int, **fields: str) -> None:
        """Saves a post as the classic editor does, over https."""
        fields = {"post_ID": post, "post_type": "post", "post_author": 2, "user_ID": 2} | fields
        self.php(f"""require ABSPATH . 'wp-admin/includes/admin.php'; wp_set_current_user(2);
            edit_post(wp_slash(json_decode(base64_decode('{base64.b64encode(json.dumps(fields).encode()).decode()}'), true)));""",
                 "define('WP_ADMIN', true); $_SERVER['HTTPS'] = 'on';")

    def cron(self) -> None:
        """What a system cron calls each minute."""
        ask("GET", f"{self.url}/wp-cron.php")

    def until(self, seconds: float, what: str, check):
        """As `until`, with a cron that calls meanwhile."""
        return until(seconds, what, lambda: check() or (self.cron(), None)[1])

    def complaints(self) -> str:
        """What PHP had to say against the plugin."""
        log = self.folder / "debug.log"
        return "\n".join(line for line in log.read_text().splitlines() if "loa.php" in line) if log.exists() else ""

    def end(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Person:
    """Somebody who is logged in, with cookies and a nonce as their browser has them."""

    def __init__(self, wordpress: WordPress, login: str, url: str | None = None):
        self.url = url or wordpress.url
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.page("/wp-login.php")
        self.page("/wp-login.php", log=login, pwd=PASSWORD, testcookie="1")
        self.nonce = self.page("/wp-admin/admin-ajax.php?action=rest-nonce").text
        assert re.fullmatch(r"[0-9a-f]{10}", self.nonce), self.nonce

    def ask(self, request: urllib.request.Request) -> Answer:
        try:
            with self.opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read())

    def page(self, path: str, **fields) -> Answer:
        """A page as a browser gets it, redirects followed; with fields, a form is sent."""
        body = urllib.parse.urlencode(fields, doseq=True).encode() if fields else None
        return self.ask(urllib.request.Request(self.url + path, body, method="POST" if fields else "GET"))

    def form(self, action: str, **fields) -> Answer:
        """Presses a button of the plugin's page."""
        page = self.page("/wp-admin/options-general.php?page=loa").text
        form = re.search(rf'name="action" value="loa_{action}".*?name="_wpnonce" value="([0-9a-f]+)"', page, re.S)
        assert form, f"there is no form {action} on the page"
        return self.page("/wp-admin/admin-post.php", action=f"loa_{action}", _wpnonce=form[1], **fields)

    def rest(self, method: str, path: str, body: bytes | None = None, expect: int | None = None, **headers: str):
        """One call of WordPress' REST API, under /wp/v2/."""
        request = urllib.request.Request(f"{self.url}/index.php?rest_route=/wp/v2/{path}", body, method=method)
        for name, value in ({"X-WP-Nonce": self.nonce} | headers).items():
            request.add_header(name.replace("_", "-"), value)
        answer = self.ask(request)
        assert answer.status in ({expect} if expect else {200, 201}), f"{method} {path}: {answer.status} {answer.text[:500]}"
        return answer.json()

    def save(self, post: int | None = None, **fields) -> int:
        """Saves a post as the block editor does; a new one without a number. Returns its number."""
        path = "posts" if post is None else f"posts/{post}"
        return self.rest("POST", path, json.dumps(fields).encode(), Content_Type="application/json")["id"]

    def publish(self, title: str, content: str = "<p>Nội dung.</p>", **fields) -> int:
        return self.save(title=title, content=content, **{"status": "publish"} | fields)

    def delete(self, post: int, force: bool = False) -> None:
        self.rest("DELETE", f"posts/{post}{'&force=true' if force else ''}")

    def category(self, name: str) -> int:
        return self.rest("POST", "categories", json.dumps({"name": name}).encode(), Content_Type="application/json")["id"]

    def upload(self, name: str, media_type: str, content: bytes, alt: str = "") -> dict:
        disposition = f"attachment; filename={name}"
        media = self.rest("POST", "media", content, Content_Type=media_type, Content_Disposition=disposition)
        if alt:
            self.rest("POST", f"media/{media['id']}", json.dumps({"alt_text": alt}).encode(), Content_Type="application/json")
        return media
