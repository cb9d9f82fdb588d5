//! All known areas of all periods, and the questions about them: by id, by code and day,
//! predecessors, successors.
//!
//! The directory is built once from CSV text (`load.rs`) and never changes; callers share it. It
//! checks that ids are unique, that a code names one area on any day, and that successors exist.
//! Every answer is in the order of ids. It reads no file and no clock: the caller gives text and
//! day.

use crate::{Area, AreaFile, LoadError, Match, Share, gazetteer::Gazetteer, load, spelling};
use jiff::civil::Date;
use loa_domain::AreaId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The directory of areas.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    areas: Vec<Area>,
    places: HashMap<AreaId, usize>,
    codes: HashMap<String, Vec<usize>>,
    /// Folded names and aliases to places: for people who type.
    names: BTreeMap<String, Vec<usize>>,
    predecessors: HashMap<AreaId, Vec<usize>>,
    gazetteer: Gazetteer,
}

impl Directory {
    /// A directory that knows no area: nothing is found in any text.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a directory from the texts of its files, together one directory.
    ///
    /// # Errors
    /// The first fault: a file that is not CSV, a cell that cannot be, an id given twice, a code that two areas had on
    /// one day, a successor that is not there or began before its predecessor ended.
    pub fn load(files: &[AreaFile<'_>]) -> Result<Self, LoadError> {
        let mut rows = Vec::new();
        for file in files {
            rows.extend(load::read(*file)?);
        }
        rows.sort_by(|a, b| a.area.id.cmp(&b.area.id));
        fits_together(&rows)?;
        Ok(Self::index(rows.into_iter().map(|row| row.area).collect()))
    }

    fn index(areas: Vec<Area>) -> Self {
        let mut directory = Self { gazetteer: Gazetteer::build(&areas), ..Self::default() };
        for (place, area) in areas.iter().enumerate() {
            directory.places.insert(area.id.clone(), place);
            directory.codes.entry(area.code.clone()).or_default().push(place);
            for name in area.names() {
                let at = directory.names.entry(spelling::folded(name)).or_default();
                if !at.contains(&place) {
                    at.push(place);
                }
            }
            for succession in &area.successors {
                directory.predecessors.entry(succession.to.clone()).or_default().push(place);
            }
        }
        directory.areas = areas;
        directory
    }

    /// All areas of all periods, in the order of ids.
    pub fn iter(&self) -> std::slice::Iter<'_, Area> {
        self.areas.iter()
    }

    /// How many areas it knows, of all periods.
    pub fn len(&self) -> usize {
        self.areas.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// The areas in force on that day.
    pub fn in_force(&self, on: Date) -> Vec<&Area> {
        self.areas.iter().filter(|area| area.is_in_force(on)).collect()
    }

    /// The area with that id, of whatever period.
    pub fn get(&self, id: &AreaId) -> Option<&Area> {
        self.places.get(id).map(|&place| &self.areas[place])
    }

    /// The area that had that code on that day.
    pub fn resolve(&self, code: &str, on: Date) -> Option<&Area> {
        self.codes.get(code)?.iter().map(|&place| &self.areas[place]).find(|area| area.is_in_force(on))
    }

    /// Those in force on that day that the area lives on in, through any number of mergers and divisions: the area
    /// itself while it is in force; nothing for an unknown id or a day before the area began.
    pub fn successors(&self, id: &AreaId, on: Date) -> Vec<&Area> {
        self.reach(std::slice::from_ref(id))
            .iter()
            .filter_map(|id| self.get(id))
            .filter(|area| area.is_in_force(on))
            .collect()
    }

    /// The one of [`Self::successors`] to name when only one may be named: by the part to assume at each division, by the
    /// first where none is said. The area itself while it is in force, or when nothing took its place.
    pub fn successor(&self, id: &AreaId, on: Date) -> Option<&Area> {
        let mut area = self.get(id)?;
        while !area.is_in_force(on) {
            let assumed = area.successors.iter().find(|s| s.share == Share::PartDefault);
            // succession never runs in a circle (`fits_together`)
            match assumed.or(area.successors.first()).and_then(|s| self.get(&s.to)) {
                Some(next) => area = next,
                None => break,
            }
        }
        Some(area)
    }

    /// Those that ended and gave all or part of themselves to this area; one step back.
    pub fn predecessors(&self, id: &AreaId) -> Vec<&Area> {
        self.predecessors.get(id).into_iter().flatten().map(|&place| &self.areas[place]).collect()
    }

    /// The areas themselves and everything that succeeded them, sorted, without repeats: the feeds and wishes that an
    /// article about them belongs to. Ids that the directory does not know stay in.
    pub fn reach(&self, areas: &[AreaId]) -> Vec<AreaId> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&AreaId> = areas.iter().collect();
        while let Some(id) = open.pop() {
            if reached.insert(id.clone())
                && let Some(area) = self.get(id)
            {
                open.extend(area.successors.iter().map(|s| &s.to));
            }
        }
        reached.into_iter().collect()
    }

    /// The areas of that day that a Vietnamese text names; each once, in the order of ids. [`Self::matches`] says where.
    pub fn find(&self, text: &str, on: Date) -> Vec<AreaId> {
        let found: BTreeSet<AreaId> = self.matches(text, on).into_iter().map(|found| found.area).collect();
        found.into_iter().collect()
    }

    /// Where a Vietnamese text names areas of that day, in the order of the text. See `gazetteer.rs` for the rules.
    pub fn matches(&self, text: &str, on: Date) -> Vec<Match> {
        self.gazetteer.matches(text, on, &self.areas)
    }

    /// Places of areas whose name or alias is this one when case, tones and marks are left out.
    pub(crate) fn named(&self, folded: &str) -> impl Iterator<Item = &Area> {
        self.names.get(folded).into_iter().flatten().map(|&place| &self.areas[place])
    }

    /// All folded names, for suggestions.
    pub(crate) fn folded_names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

impl<'a> IntoIterator for &'a Directory {
    type Item = &'a Area;
    type IntoIter = std::slice::Iter<'a, Area>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What only all rows together can show. Rows are sorted by id.
fn fits_together(rows: &[load::Row]) -> Result<(), LoadError> {
    for pair in rows.windows(2) {
        if let [one, two] = pair
            && one.area.id == two.area.id
        {
            let problem = format!(
                "the id {} is given twice (also {}, line {}); ids are for one area for ever",
                two.area.id, one.label, one.line
            );
            return Err(two.fault("id", problem));
        }
    }
    let mut codes: HashMap<&str, Vec<&load::Row>> = HashMap::new();
    for row in rows {
        let same = codes.entry(row.area.code.as_str()).or_default();
        if let Some(other) = same.iter().find(|other| overlap(&other.area, &row.area)) {
            let problem = format!(
                "the code {} is also that of {} ({}, line {}) in this period; mend the dates",
                row.area.code, other.area.id, other.label, other.line
            );
            return Err(row.fault("code", problem));
        }
        same.push(row);
    }
    for row in rows {
        for succession in &row.area.successors {
            let Ok(place) = rows.binary_search_by(|other| other.area.id.cmp(&succession.to)) else {
                return Err(row.fault(
                    "successors",
                    format!("no area has the id {}; add its row, or mend the id", succession.to),
                ));
            };
            // Later than its predecessor's end: with this, succession cannot run in a circle.
            let (begins, ends) = (rows[place].area.valid_from, row.area.valid_until);
            if begins.is_none() || ends.is_none() || begins < ends {
                let problem = format!(
                    "{} began before this area ended; mend `valid_from` there or `valid_until` here",
                    succession.to
                );
                return Err(row.fault("successors", problem));
            }
        }
    }
    Ok(())
}

fn overlap(one: &Area, two: &Area) -> bool {
    let begins_before_end = |a: &Area, b: &Area| match (a.valid_from, b.valid_until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before_end(one, two) && begins_before_end(two, one)
}
