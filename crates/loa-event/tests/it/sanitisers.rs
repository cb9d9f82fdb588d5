//! Bodies of the kinds that broke other sanitisers: markup that means one thing when it is cleaned and another when it is
//! read again.

use crate::{article_with, hostile::assert_harmless};
use scraper::Html;
use serde_json::json;

/// How often a body is written out and read again; a reader, a mail program and a copy in between.
const READINGS: usize = 3;

fn cleaned(body: &str) -> String {
    article_with("/data/content_html", json!(body)).content_html
}

#[test]
fn markup_that_changes_its_meaning_when_it_is_read_again_comes_out_harmless() {
    const ACT: &str = "<img src=x onerror=act()>";
    let closed_early =
        ["style", "title", "noscript", "noembed", "noframes", "xmp", "iframe", "textarea", "plaintext", "template"]
            .map(|name| format!("<{name}><p title=\"</{name}>{ACT}\">"));
    let namespaces = [
        "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style>{}\">",
        "<form><math><mtext></form><form><mglyph><style></math>{}",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;/mglyph&gt;{}\">",
        "<math><mtext><table><mglyph><style><math><table id=\"</table>\">{}",
        "<svg></p><style><a id=\"</style>{}\">",
        "<svg><desc><noscript>&lt;/noscript>&lt;/desc>&lt;style>&lt;a title=\"&lt;/style>{}\">",
        "<svg><annotation-xml><foreignobject><style><!--</style><p id=\"-->{}\">",
        "<svg><a><foreignobject><a><table><a></table><style><!--</style></svg><a id=\"-->{}\">",
        "<math><x-y><mi><li><table><x-y><li></li></x-y>a<a><style><!--</style>a<b-c is=\"-->{}\">",
        "<math><p></p><style><!--</style>{}--></style></math>",
        "<math><annotation-xml encoding=\"text/html\"><style>{}</style>",
        "<p><svg><foreignObject><math><mi><style><!--</style><img title='-->{}'>",
        "<nobr><svg><desc><style></nobr></desc>{}</style>",
        "<ol><a><table><svg><style></a>{}</style>",
        "<table><a href='https://x'><table><td><style><!--</style>{}-->",
        "<h1><svg><h1></h1><style><!--</style>{}",
        "<svg><style>{}",
        "<svg><title><style><img title='</style>{}'>",
    ];
    let comments = [
        "<!--a foo=--!>{}<!--<a>\">",
        "<!-->{}-->",
        "<!--!>{}--!>",
        "<![CDATA[<math>{}]]>",
        "<svg><![CDATA[>{}]]>",
        "<?xml version='1.0'?>{}",
    ];
    let addresses = [
        "<svg><a><set attributeName=\"href\" to=\"javascript:act()\"></set><text>x</text></a></svg>",
        "<svg><a><animate attributeName=href values=javascript:act() /><text>x</text></a></svg>",
        "<a href='java&#x09;script:act()'>x</a><a href=' &#1;javascript:act()'>y</a>",
        "<base href=javascript:act()//><a href=/x>x</a>",
        "<a href='https://a.vn/&quot;onmouseover=act()//'>x</a><img alt='``onmouseover=act()' src='https://a.vn/1'>",
        "<a href=\"https://a.vn/\" title=\"&lt;/a&gt;&lt;img src=x onerror=act()&gt;\">x</a>",
        "<select><noembed></select><script x='a@b'a>act()</script x>a",
        "<dialog open onclose=act()>x</dialog><details open ontoggle=act()><x-y is=img onclick=act()>z</x-y>",
    ];
    let deep = format!(
        "{0}<table><caption><svg><desc><table><caption></caption></table></desc><style><a title=\"</style>{ACT}\"></a></style></svg></caption></table>{1}",
        "<div>".repeat(450),
        "</div>".repeat(450)
    );
    let filled = namespaces.iter().chain(&comments).map(|body| body.replace("{}", ACT));
    let all = closed_early.into_iter().chain(filled).chain(addresses.map(str::to_owned)).chain([deep]);
    for body in all {
        let mut html = cleaned(&format!("<p>Trước.</p>{body}<p>Sau.</p>"));
        assert!(html.contains("Trước."), "{body}: {html}");
        for _ in 0..READINGS {
            assert_harmless(&body, &html);
            html = Html::parse_fragment(&html).root_element().inner_html();
        }
    }
}
