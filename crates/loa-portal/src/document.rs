//! One official paper of a list on a page: its number, and the lines that belong to it.

use crate::{
    PortalDocument,
    block::Block,
    identity,
    label::{self, Label},
    posted,
    reader::Reader,
};
use loa_domain::LeftOut;

/// Kinds of official papers (Decree 30/2020/NĐ-CP and common others), as they head a title.
const KINDS: [&str; 36] = [
    "Nghị quyết",
    "Quyết định",
    "Chỉ thị",
    "Quy chế",
    "Quy định",
    "Thông cáo",
    "Thông báo",
    "Hướng dẫn",
    "Chương trình",
    "Kế hoạch",
    "Phương án",
    "Đề án",
    "Dự án",
    "Báo cáo",
    "Biên bản",
    "Tờ trình",
    "Hợp đồng",
    "Công văn",
    "Công điện",
    "Bản ghi nhớ",
    "Bản thỏa thuận",
    "Giấy ủy quyền",
    "Giấy mời",
    "Giấy giới thiệu",
    "Phiếu gửi",
    "Thư công",
    "Kết luận Thanh tra",
    "Kết luận kiểm tra",
    "Kết luận",
    "Thông tư",
    "Nghị định",
    "Luật",
    "Lịch công tác",
    "Văn bản",
    "Danh sách",
    "Đính chính",
];

/// Reads the document whose number stands at `place`; answers with the first block behind it.
pub(crate) fn read(reader: &mut Reader, place: usize, documents: &mut Vec<PortalDocument>) -> usize {
    let block = reader.blocks[place].clone();
    let mut number = label::of(&block.text).map(|(_, value)| value.to_owned()).unwrap_or_default();
    let mut url = block.links.first().map(|(_, url)| url.clone());
    let mut behind = place + 1;
    let mut title = title_beside(&block, &mut number);
    if number.is_empty() && reader.is_value(behind) {
        number.clone_from(&reader.blocks[behind].text);
        reader.take(behind);
        behind += 1;
    }
    let (mut issued_on, mut issuer) = (None, String::new());
    while behind < reader.blocks.len() {
        let line = reader.blocks[behind].clone();
        match label::of(&line.text) {
            None if title.is_empty() && reader.is_value(behind) => title.clone_from(&line.text),
            Some((Label::DocumentTitle, value)) if title.is_empty() && !value.is_empty() => {
                value.clone_into(&mut title)
            }
            Some((Label::DocumentIssuer, value)) if issuer.is_empty() && !value.is_empty() => {
                value.clone_into(&mut issuer)
            }
            Some((Label::DocumentIssuedOn, value)) if issued_on.is_none() => match posted::day(value) {
                Ok(day) => issued_on = Some(day),
                Err(fault) => {
                    reader.note(behind, LeftOut::IssueDate { fault });
                    behind += 1;
                    continue;
                }
            },
            _ => break,
        }
        url = url.or_else(|| line.links.first().map(|(_, url)| url.clone()));
        reader.take(behind);
        behind += 1;
    }
    if number.is_empty() || title.is_empty() {
        let why = if number.is_empty() { LeftOut::DocumentWithoutNumber } else { LeftOut::DocumentWithoutTitle };
        // Every line taken so far goes into the report with it.
        (place..behind).for_each(|place| reader.note(place, why.clone()));
        return behind;
    }
    reader.take(place);
    let id = identity::of_document(&number, &title, issued_on);
    let (kind, title) = kind_of(&title);
    documents.push(PortalDocument { id, number, kind, title, issued_on, issuer, url });
    behind
}

/// A title in the same line as the number, where a link shows which part it is.
fn title_beside(block: &Block, number: &mut String) -> String {
    let beside = block.links.iter().find_map(|(text, _)| {
        let head = number.strip_suffix(text.as_str())?.trim();
        (!head.is_empty()).then(|| (head.to_owned(), text.clone()))
    });
    match beside {
        Some((head, title)) => {
            *number = head;
            title
        }
        None => String::new(),
    }
}

/// `Kết luận Thanh tra: Công tác …` → the kind and the rest; without a colon the title stays whole.
pub(crate) fn kind_of(title: &str) -> (String, String) {
    let lower = title.to_lowercase();
    let begins = |kind: &&&str| {
        let behind = lower.strip_prefix(&kind.to_lowercase());
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([':', ' ', ',']))
    };
    let Some(kind) = KINDS.iter().filter(begins).max_by_key(|kind| kind.len()) else {
        return (String::new(), title.to_owned());
    };
    match title.split_once(':') {
        Some((head, rest)) if head.trim().to_lowercase() == kind.to_lowercase() && !rest.trim().is_empty() => {
            (head.trim().to_owned(), rest.trim().to_owned())
        }
        _ => ((*kind).to_owned(), title.to_owned()),
    }
}
