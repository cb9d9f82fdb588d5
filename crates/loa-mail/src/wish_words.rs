//! A wish in Vietnamese: its areas and categories by their names, as pages and mails show them.
//!
//! The directory and the labels of categories are handed in.

use loa_area::Directory;
use loa_domain::{AreaId, CategorySlug, Wish, clean_line};

/// A wish, as people read it. Empty lists mean everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WishWords {
    /// Names of areas, `Xã Na Son`.
    pub areas: Vec<String>,
    /// Names of categories, `Tin tức`.
    pub categories: Vec<String>,
}

impl WishWords {
    /// Puts a wish into words. An id that the directory does not know, and a slug without a label, stand for themselves.
    pub fn of(wish: &Wish, directory: &Directory, label: impl Fn(&CategorySlug) -> Option<String>) -> Self {
        let area = |id: &AreaId| directory.get(id).map_or_else(|| id.to_string(), |area| area.full_name());
        Self {
            areas: wish.areas.iter().map(area).collect(),
            categories: wish.categories.iter().map(|slug| label(slug).unwrap_or_else(|| slug.to_string())).collect(),
        }
    }

    /// `Xã Na Son, Xã Phì Nhừ`, or `tất cả các xã, phường`.
    pub fn areas_line(&self) -> String {
        if self.areas.is_empty() { "tất cả các xã, phường".into() } else { clean_line(&self.areas.join(", ")) }
    }

    /// `Tin tức, Thông báo`, or `tất cả chuyên mục`.
    pub fn categories_line(&self) -> String {
        if self.categories.is_empty() {
            "tất cả chuyên mục".into()
        } else {
            clean_line(&self.categories.join(", "))
        }
    }
}
