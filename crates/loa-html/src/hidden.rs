//! Which styles hide what they stand at.

/// Whether a style hides what stands in the element: outright, far outside the page, or without any size. So links of gamblers
/// stand in the pages of portals that were broken into.
pub fn is_hidden_by(style: &str) -> bool {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    let (mut is_out_of_flow, mut is_far, mut is_cut, mut is_flat) = (false, false, false, false);
    for (name, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        let value = value.trim_end_matches("!important");
        let pixels = value.trim_end_matches("px").trim_end_matches("em").parse::<f32>().ok();
        let is_nothing = pixels.is_some_and(|pixels| (0.0..=1.0).contains(&pixels));
        match name {
            "display" if value == "none" => return true,
            "visibility" if matches!(value, "hidden" | "collapse") => return true,
            "font-size" if pixels == Some(0.0) => return true,
            "text-indent" if pixels.is_some_and(|pixels| pixels <= -500.0) => return true,
            "position" => is_out_of_flow = matches!(value, "absolute" | "fixed"),
            "left" | "right" | "top" | "bottom" | "margin-left" | "margin-top" => {
                is_far |= pixels.is_some_and(|pixels| pixels <= -500.0);
            }
            "overflow" | "overflow-y" | "overflow-x" => is_cut |= value == "hidden",
            "height" | "max-height" | "width" | "max-width" => is_flat |= is_nothing,
            "clip" | "clip-path" => is_flat |= value.contains("rect(0") || value.contains("inset("),
            _ => {}
        }
    }
    (is_out_of_flow && is_far) || (is_cut && is_flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_told_from_what_is_only_small_or_moved() {
        for hidden in [
            "display:none",
            "color: red; DISPLAY : None !important",
            "visibility:hidden",
            "font-size:0",
            "font-size: 0px;",
            "text-indent:-9999px",
            "position:absolute;left:-10000px",
            "overflow:hidden;height:0",
            "overflow:hidden; max-height:1px",
        ] {
            assert!(is_hidden_by(hidden), "{hidden}");
        }
        for seen in [
            "",
            "display:block",
            "font-size:10px",
            "text-indent:-20px",
            "position:absolute;left:-20px",
            "left:-9999px",
            "height:0",
            "overflow:hidden;height:120px",
            "margin-left:-5px",
            "mso-hide:none",
        ] {
            assert!(!is_hidden_by(seen), "{seen}");
        }
    }
}
