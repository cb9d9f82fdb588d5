//! The areas of an event: the areas it names, or, where it names none that is known, those that its
//! text names.
//!
//! An unknown area is left out and noted, not refused: another district's portal names areas that
//! are not in this directory, and its articles are good all the same. The gazetteer (`loa-area`)
//! searches the text.

use crate::{
    Note, Refusal,
    fields::Fields,
    limits::{AREAS_MAX, ISSUE_YEAR_MIN},
};
use jiff::civil::Date;
use loa_area::Directory;
use loa_domain::{AreaId, Flaw, Quoted, Remark};
use serde_json::Value;
use std::collections::BTreeSet;

/// The areas of `data`, sorted, without repeats. `on`: the day of publication. `text` is only searched when no known area is named.
pub(crate) fn areas_of(
    data: &Fields<'_>,
    directory: &Directory,
    on: Date,
    text: impl FnOnce() -> String,
    notes: &mut Vec<Note>,
) -> Result<Vec<AreaId>, Refusal> {
    let mut areas = BTreeSet::new();
    for (pointer, value) in data.list("areas", AREAS_MAX)? {
        match named(value, &pointer, directory, on)? {
            Ok(area) => {
                areas.insert(area);
            }
            Err(remark) => notes.push(Note { pointer, remark }),
        }
    }
    if areas.is_empty() {
        areas.extend(directory.find(&text(), on));
    }
    Ok(areas.into_iter().collect())
}

/// One item: an area's id as text, `{ "id": … }`, or `{ "code": …, "date": … }` where the date defaults to the day of
/// publication. The inner error is a note.
fn named(value: &Value, pointer: &str, directory: &Directory, on: Date) -> Result<Result<AreaId, Remark>, Refusal> {
    if let Value::String(text) = value {
        return Ok(known(text, directory));
    }
    let item = Fields::new(value, pointer)?;
    if let Some(id) = item.raw("id")? {
        return Ok(known(id, directory));
    }
    let Some(code) = item.raw("code")? else {
        return Err(Refusal::at(pointer, Flaw::NamelessArea));
    };
    let on = item.date("date", ISSUE_YEAR_MIN)?.unwrap_or(on);
    let found = directory.resolve(code.trim(), on).map(|area| area.id.clone());
    Ok(found.ok_or_else(|| Remark::UnknownCode { code: Quoted::new(code).to_string(), on }))
}

fn known(text: &str, directory: &Directory) -> Result<AreaId, Remark> {
    let id = AreaId::new(text).ok().filter(|id| directory.get(id).is_some());
    id.ok_or_else(|| Remark::UnknownArea(Quoted::new(text).to_string()))
}
