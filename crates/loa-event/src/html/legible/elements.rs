//! As what an element is written, and which are Word's own.

/// What Word and Excel keep for themselves, and no reader ever saw.
pub(super) fn is_island(name: &str) -> bool {
    let is_kept = matches!(name, "w:sdt" | "w:wrap");
    name == "xml"
        || name.starts_with("w:") && !is_kept
        || name.starts_with("o:office")
        || name.starts_with("o:shape")
        || name.starts_with("x:excel")
        || name == "m:mathpr"
}

/// As what an element is written; `None`: only what it holds is. So it is with names that no tag of HTML has.
pub(super) fn written(name: &str) -> Option<&str> {
    match name {
        "noscript" | "picture" | "canvas" | "xmp" | "listing" | "plaintext" | "noembed" | "noframes" | "iframe"
        | "video" | "audio" | "object" | "applet" | "embed" | "oembed" => None,
        "m:sup" | "m:deg" => Some("sup"),
        "m:sub" => Some("sub"),
        _ => name.bytes().all(|b| b.is_ascii_alphanumeric()).then_some(name),
    }
}
