//! Reading costs as much as the text is long: doubling it about doubles the steps, or it is refused within its bound.

use loa_domain::HtmlExcess;
use loa_html::{STEPS_AT_LEAST, STEPS_PER_BYTE, Shape, measure};
use proptest::prelude::*;

/// What strangers send to hold a parser up, each repeated to a length.
const REPEATED: &[&str] = &[
    "<",
    "<!",
    "<!--",
    "<!-->",
    "-->",
    "</",
    "<a ",
    "<a<a",
    "<a<",
    "&",
    "&#",
    "&#x",
    "&amp",
    "&notit;",
    "<b>",
    "<b></b>",
    "<i><b>",
    "<a><b></a></b>",
    "<b><p></b></p>",
    "<a><p></a>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<x>",
    "</y>",
    "<br>",
    "<hr>",
    "<li>",
    "<ul><li>",
    "<table>",
    "<table><br>",
    "<table><td>",
    "<table><tr><td><p>",
    "<td>",
    "<tr>",
    "<svg>",
    "<svg><p>",
    "<math><mi>",
    "<math><annotation-xml>",
    "<svg><foreignObject>",
    "<svg><desc><svg>",
    "]]>",
    "<![CDATA[",
    "<svg><![CDATA[",
    "\"",
    "<a b=\"",
    "<a b='",
    "<a b=c",
    "<p a=1>",
    "<select>",
    "<select><option>",
    "<option>",
    "<button>",
    "<form>",
    "<nobr>",
    "<h1>",
    "<template>",
    "<object>",
    "<marquee><b>",
    "<applet></b>",
    "<script>",
    "<textarea>",
    "<title>",
    "<style>",
    "<plaintext>",
    "<noscript>",
    "<noscript><p>",
    "<noscript></noscript><b>",
    "<frameset>",
    "<html a=1>",
    "<body a=1>",
    "<input>",
    "<ruby><rt>",
    "<dd>",
    "<dt>",
    "<caption>",
    "<colgroup><col>",
    "<image>",
    "<?x",
    "\0",
    "\r\n",
    "<font>x</font>",
];

const STARTS: [&str; 4] = ["", "<div><p><b><i><u><a href=x>", "<table><td><b>", "<table><svg>"];

/// Steps, and whether it was taken. Whatever is beyond its bound is noticed a piece of 4 KiB later at most, each of whose
/// tags passes at most what is open.
fn steps(html: &str, shape: Shape) -> (u64, bool) {
    let bound = STEPS_PER_BYTE * html.len() as u64 + STEPS_AT_LEAST;
    match measure(html, shape) {
        Ok(measured) => {
            assert!(measured.steps <= bound, "{measured:?}: {html}");
            (measured.steps, true)
        }
        Err(excess) => {
            assert!(excess.steps <= bound + 4_096 * 2_000, "{excess:?}: {html}");
            (excess.steps, false)
        }
    }
}

#[test]
fn twice_the_text_takes_twice_the_steps_or_is_refused_within_its_bound() {
    for (piece, start) in REPEATED.iter().flat_map(|piece| STARTS.map(|start| (piece, start))) {
        let of = |bytes: usize, shape| steps(&format!("{start}{}", piece.repeat(bytes / piece.len())), shape);
        let (once, twice) = (of(2_048, Shape::Fragment), of(4_096, Shape::Fragment));
        if once.1 && twice.1 {
            // below what any text may take, a little may be misnested
            assert!(twice.0 <= once.0 * 5 / 2 + STEPS_AT_LEAST, "{start}{piece}: {once:?} {twice:?}");
        }
        of(2_048, Shape::Page);
        of(2_048, Shape::Unscripted);
    }
}

#[test]
fn what_is_beyond_a_bound_is_told_by_its_kind() {
    let check = |html: &str, expected: HtmlExcess| {
        assert_eq!(measure(html, Shape::Fragment).expect_err("too much").kind, expected, "{}", &html[..40]);
    };
    check(&"<div>".repeat(1_000), HtmlExcess::Depth(512));
    check(&format!("<p {}>", "a ".repeat(501)), HtmlExcess::Attributes(501));
    let names: String = (0..3_000).map(|n| format!("<unheard-{n}></unheard-{n}>")).collect();
    check(&names, HtmlExcess::Names(2_000));
    // the link is opened again in each paragraph, with its address
    let link = format!("<p><a href=\"https://a.vn/{}\">{}", "x".repeat(50_000), "<p>x".repeat(500));
    check(&link, HtmlExcess::Growth);
    // each line break is put before the table, past all before it
    check(&format!("<table>{}", "<br>".repeat(5_000)), HtmlExcess::Steps);
    check(&format!("{}{}", "<x>".repeat(500), "</y>".repeat(20_000)), HtmlExcess::Steps);
}

#[test]
fn what_portals_send_is_far_from_any_bound() {
    let row = "<tr><td style=\"border:1px\"><p><b>Xã Na Son</b></p></td><td><a href=\"/van-ban/1\">Số 1184/KL-UBND</a></td></tr>";
    let page = format!("<div><div><div><table><tbody>{}</tbody></table></div></div></div>", row.repeat(1_500));
    let measured = measure(&page, Shape::Fragment).expect("a long table");
    assert!(measured.steps < page.len() as u64 * STEPS_PER_BYTE / 4, "{measured:?} of {}", page.len());
    let unclosed = "<p>Ngày <b>16/11/2023<p>Họp <i>dân".repeat(2_000);
    measure(&unclosed, Shape::Fragment).expect("tags that an editor forgot to close");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_text_makes_it_panic_or_overstep(pieces in prop::collection::vec(prop::sample::select(REPEATED.to_vec()), 0..60), times in 1_usize..20) {
        let html = pieces.concat().repeat(times);
        steps(&html, Shape::Page);
        steps(&html, Shape::Fragment);
        steps(&html, Shape::Unscripted);
    }
}
