"""Every page a citizen sees, at 360 and 1,280 pixels, light and dark: pictures for people, no sideways scrolling, no foreign hosts."""

import html
import importlib.util
import pathlib
import re

import pytest
from contract import event, published
from installation import SEED, until

READER = "hinh-anh@nason.example"
LOOKS = [(360, False), (360, True), (1280, False), (1280, True)]
LONG = published("pages-long", title="Hội nghị trực tuyến " + "tham vấn đối với dự thảo " * 10 + "x" * 70,
                 content_html="<p>" + "https://dienbiendong.gov.vn/" + "a" * 200 + "</p>")
DOCUMENT = event("document.issued", {
    "id": "pages-doc", "revision": 1, "number": "1184/KL-UBND", "kind": "Kết luận Thanh tra", "issuer": "UBND huyện",
    "issued_on": "2023-11-10", "title": "Công tác quản lý ngân sách xã", "url": "https://dienbiendong.gov.vn/vb/1184",
    "attachments": [{"url": "https://dienbiendong.gov.vn/vb/1184.pdf", "media_type": "application/pdf", "bytes": 912345, "alt": "Bản ký"}]})

PAGES = ["front", "feeds", "feeds-found", "feeds-picked-none", "feed-all", "feed-documents", "feed-area", "feed-combined", "feed-empty",
         "feed-month", "feed-missing", "gone", "nowhere", "subscribe", "unsubscribe", "manage"]
FORMS = ["feeds", "feeds-found", "feed-area", "subscribe", "manage"]
AXE = pathlib.Path(importlib.util.find_spec("axe_core_python").origin).with_name("axe.min.js")
# what can be pressed, but for links in a sentence: lines of text keep their height (WCAG 2.5.8, exception "inline")
TOO_SMALL = """[...document.querySelectorAll('a,button,summary,select,input:not([type=hidden])')]
    .filter(e => e.offsetParent && !e.closest('.skip,.away,[aria-hidden]') && e.getBoundingClientRect().width > 1)
    .filter(e => !(e.tagName == 'A' && [...e.parentElement.childNodes].some(n => n.nodeType == 3 && n.data.trim())))
    .map(e => e.type == 'checkbox' || e.type == 'radio' ? e.closest('label') : e)
    .filter(e => e.getBoundingClientRect().height < SIZE)
    .map(e => e.tagName + ' ' + Math.round(e.getBoundingClientRect().height) + ' ' + (e.innerText || e.name).trim().slice(0, 40))"""


def open_all(browser) -> None:
    """What is folded away is looked at, too."""
    browser.run("document.querySelectorAll('details').forEach(e => e.open = true)")


def press(browser, key: str, code: int, **more) -> None:
    """As a finger does: only then may a page copy."""
    browser.call("Input.dispatchKeyEvent", type="keyDown" if "text" in more else "rawKeyDown", key=key, windowsVirtualKeyCode=code, **more)
    browser.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


@pytest.fixture(scope="module")
def pages(install, bus, mail_server):
    """Name and address of each page."""
    loa = install()
    loa.start("intake", "feed", "digest", "console")
    loa.command("subscribers", "add", READER)
    loa.command("import", str(SEED))
    producer = bus(loa)
    for message in (LONG, DOCUMENT, published("pages-gone"), event("article.withdrawn", {
            "id": "pages-gone", "revision": 2, "reason": "Đăng nhầm chuyên mục", "at": "2023-11-20T10:00:00+07:00"})):
        producer.structured(message)
    until(15, "all stand", lambda: len(loa.titles()) >= 2 and "OCOP" in " ".join(loa.titles()))
    until(15, "the digest has them", lambda: "OCOP" in loa.command("digest", "preview").stdout)
    loa.command("digest", "run")
    mail = until(20, "the digest arrives", lambda: mail_server.to(READER))[0]
    link = re.search(r"<(https://[^>]+)>", mail.message["list-unsubscribe"]).group(1)
    body = loa.folder / "mail.html"
    body.write_text(mail.part("html"))
    return {
        "front": f"{loa.url('console')}/",
        "feeds": f"{loa.url('feed')}/feeds",
        "feed-all": f"{loa.url('feed')}/feeds/all",
        "feed-area": f"{loa.url('feed')}/feeds/area-na-son-03203-2025",
        "feeds-found": f"{loa.url('feed')}/feeds?q=tia+dinh&pick=area-na-son-03203-2025",
        "feeds-picked-none": f"{loa.url('feed')}/feeds?build=1",
        "feed-combined": f"{loa.url('feed')}/feeds/area-na-son-03203-2025+area-xa-dung-03208-2025+category-tin-tuc+documents",
        "feed-documents": f"{loa.url('feed')}/feeds/documents",
        "feed-empty": f"{loa.url('feed')}/feeds/area-pu-nhi-03370-2025",
        "feed-month": f"{loa.url('feed')}/feeds/all/2023-11",
        "feed-missing": f"{loa.url('feed')}/feeds/area-na-son-03203-202",
        "nowhere": f"{loa.url('feed')}/nowhere",
        "gone": f"{loa.url('feed')}/a/pages-gone",
        "subscribe": f"{loa.url('digest')}/subscribe",
        "unsubscribe": loa.local(link),
        "manage": loa.local(link).replace("/u/", "/manage/"),
        "mail": body.as_uri(),
    }


@pytest.mark.parametrize(("width", "dark"), LOOKS, ids=lambda value: str(value))
@pytest.mark.parametrize("name", [*PAGES, "mail"])
def test_nothing_sticks_out_and_it_can_be_read(pages, browser, pictures, name, width, dark):
    browser.open(pages[name], width=width, dark=dark)
    browser.picture(pictures / f"{name}-{width}-{'dark' if dark else 'light'}.png")
    assert browser.too_wide() == ""
    assert browser.run("document.documentElement.lang") == "vi"
    assert browser.run("document.title.trim().length") > 0 and browser.run("document.querySelectorAll('h1').length") == 1
    foreign = browser.run("""[...document.querySelectorAll('script[src],link[rel=stylesheet],img,iframe')]
        .map(e => e.src || e.href).filter(u => u && !u.startsWith(location.origin) && !u.startsWith('data:'))""")
    if name != "mail":
        assert foreign == [], "nobody else learns who reads"
    contrast = browser.run("""(() => {
        const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
        const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
            if (!/, 0\\)$|transparent/.test(c)) return c; } return getComputedStyle(document.documentElement).colorScheme.includes('dark')
            && matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)'; };
        return [...document.querySelectorAll('h1,h2,h3,p,a,li,td,button,label')].filter(e => e.innerText && e.innerText.trim() && e.offsetParent)
            .map(e => { const a = light(getComputedStyle(e).color), b = light(ground(e));
                return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.tagName + ': ' + e.innerText.trim().slice(0, 40)]; })
            .filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(1) + ' ' + what).slice(0, 5);
    })()""")
    assert contrast == [], "too little contrast (WCAG 1.4.3)"


@pytest.mark.parametrize("form", ["all.rss", "all.atom", "opml"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_feed_opened_in_a_browser_can_be_read(pages, browser, pictures, form, dark):
    address = pages["feeds"] + (".opml" if form == "opml" else f"/{form}")
    browser.open(address, width=360, dark=dark)
    browser.picture(pictures / f"raw-{form}-{'dark' if dark else 'light'}.png")
    assert browser.run("document.styleSheets.length") == 1, "styled, by CSS alone"
    root = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert root == ("rgb(18, 18, 18)" if dark else "rgb(255, 255, 255)")
    assert "trình đọc tin" in browser.run("getComputedStyle(document.documentElement, '::before').content")
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("name", ["feeds", "feed-area"])
def test_an_address_is_copied_by_a_key_and_the_policy_lets_nothing_else_run(pages, browser, name):
    browser.open(pages[name])
    address = browser.run("(e => e.href || e.value)(document.querySelector('[data-copy]'))")
    assert address.startswith("https://loa.example.gov.vn/feeds/") and address.endswith(".rss")
    browser.run("document.querySelector('[data-copy] + button').focus()")
    press(browser, "Enter", 13, text="\r")
    until(5, "it says so", lambda: browser.run("document.querySelector('[role=status]').textContent") == "Đã sao chép địa chỉ.")
    assert browser.run("document.activeElement.matches('[data-copy] + button')"), "who pressed it is still there"
    browser.run("document.body.append(document.createElement('textarea')), document.querySelector('textarea').focus()")
    press(browser, "v", 86, commands=["paste"])
    assert browser.run("document.querySelector('textarea').value") == address
    blocked = browser.run("""new Promise(done => { document.addEventListener('securitypolicyviolation', () => done(true));
        const other = document.createElement('script'); other.textContent = 'document.title = 1'; document.body.append(other);
        setTimeout(() => done(false), 2000); })""")
    assert blocked is True


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_an_accessibility_checker_has_nothing_to_say(pages, browser, name, dark):
    browser.open(pages[name], width=360, dark=dark)
    open_all(browser)
    browser.call("Runtime.evaluate", expression=AXE.read_text())
    said = browser.run("""axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})
        .then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | ')))""")
    assert said == []


@pytest.mark.parametrize("name", PAGES)
def test_on_a_phone_everything_to_press_is_as_large_as_a_finger(pages, browser, name):
    browser.open(pages[name], width=360)
    open_all(browser)
    assert browser.run(TOO_SMALL.replace("SIZE", "43.5")) == []


@pytest.mark.parametrize("name", PAGES)
def test_with_the_text_twice_as_large_nothing_sticks_out(pages, browser, name):
    browser.open(pages[name], width=360)
    open_all(browser)
    browser.run("document.documentElement.style.fontSize = '200%'")
    assert browser.too_wide() == ""


@pytest.mark.parametrize("name", FORMS)
def test_keys_alone_reach_everything_in_the_order_in_which_it_stands_and_show_where_they_are(pages, browser, name):
    browser.open(pages[name], width=360)
    reachable = browser.run("""[...document.querySelectorAll('a[href],button,summary,input:not([type=hidden]):not([tabindex])')]
        .filter(e => !e.closest('.away') && !e.closest('details:not([open]) > :not(summary)')).map((e, i) => (e.dataset.place = i)).length""")
    places, radios = [], browser.run("document.querySelectorAll('input[type=radio]').length")
    for _ in range(reachable - max(radios - 1, 0)):
        press(browser, "Tab", 9)
        place, outline, left = browser.run("""(e => [e.dataset.place, getComputedStyle(e).outlineStyle,
            e.getBoundingClientRect().left])(document.activeElement)""")
        assert place is not None and outline != "none" and left >= 0, f"after {places}: {browser.run('document.activeElement.outerHTML')[:200]}"
        places.append(int(place))
    assert places[0] == 0 and browser.run("document.querySelector('[data-place=\"0\"]').className") == "skip", "the way past the head is first"
    assert places == sorted(set(places)), "in the order of the page, each once"


@pytest.mark.parametrize("name", FORMS)
def test_without_scripts_nothing_is_missing_but_the_button_that_copies(pages, browser, name):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(pages[name], width=360)
        assert browser.too_wide() == ""
        without = browser.run("document.body.innerText")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    browser.open(pages[name], width=360)
    browser.run("document.querySelectorAll('[data-copy] + button').forEach(e => e.remove())")
    assert without.split() == browser.run("document.body.innerText").split()


def test_a_search_leads_to_what_was_found_and_the_feed_put_together_has_its_page(pages, browser):
    browser.open(pages["feeds"], width=360)
    browser.run("document.querySelector('#q').value = 'phi nhu', document.querySelector('form[role=search]').submit()")
    until(5, "it is found", lambda: browser.run("location.hash") == "#ket-qua" and "Phì Nhừ" in browser.run("document.body.innerText"))
    assert browser.run("document.querySelector('#ket-qua').getBoundingClientRect().top") < 100, "in sight"
    browser.run("document.querySelector('a[href*=\"#tu-chon\"][href*=pick]').click()")
    until(5, "it is picked", lambda: browser.run("document.querySelectorAll('#tu-chon input:checked').length") == 1)
    browser.run("document.querySelector('#tu-chon input[value=documents]').click(), document.querySelector('#tu-chon button').click()")
    until(5, "the feed is there", lambda: browser.run("location.pathname").endswith("/feeds/area-xa-dung-03208-2025+documents"))
    # the address is there before the page
    until(5, "its page is there", lambda: browser.run("document.querySelector('h1')?.innerText") == "Tin về xã Xa Dung: Văn bản")


@pytest.mark.parametrize("name", FORMS)
def test_forms_can_be_used_without_a_mouse_and_without_seeing(pages, browser, name):
    browser.open(pages[name])
    unlabelled = browser.run("""[...document.querySelectorAll('input:not([type=hidden]),select,textarea')]
        .filter(e => !e.labels?.length && !e.getAttribute('aria-label')).map(e => e.name)""")
    assert unlabelled == []


def test_a_title_with_markup_in_it_is_text(install, bus, browser):
    loa = install()
    loa.start("feed")
    nasty = 'Tin <script>document.title="đã chạy"</script> & "ngoặc"'
    bus(loa).structured(published("pages-nasty", title=nasty, summary="<img src=x onerror=document.title='x'>",
                                   content_html="<p onclick='x'>ok<script>document.title='y'</script></p>"))
    until(15, "it stands", lambda: nasty in loa.titles())
    browser.open(f"{loa.url('feed')}/feeds/all")
    assert "đã chạy" not in browser.run("document.title")
    assert nasty in html.unescape(browser.run("document.body.innerText"))
