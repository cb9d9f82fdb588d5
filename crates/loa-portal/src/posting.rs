//! Decides when an article was posted, from the times that `times.rs` collected.
//!
//! A visible time wins over those for machines. A day alone is made exact by a time for machines that
//! says the same day. Where nothing decides, the page is refused and the times are named.

use crate::{
    Evidence,
    evidence::Candidate,
    fault::undecided,
    head::Head,
    posted,
    reader::Reader,
    region::Region,
    stamp::{self, Line, Stamp},
    times,
    weigh::{Bounds, Verdict, weigh},
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use loa_domain::{Clue, DateFault, LeftOut, PageError, PageField, Quoted};

/// Visible times: on pages whose form shows the title, and on others, where it does not tell the article from what stands
/// beside it.
const WITH_TITLE: Bounds = Bounds { at_least: 30, ahead: 15 };
const WITHOUT_TITLE: Bounds = Bounds { at_least: 30, ahead: 25 };
/// Times for machines, where no visible one weighs enough.
const FOR_MACHINES: Bounds = Bounds { at_least: 40, ahead: 15 };

/// Lines that are looked at for one that looks like a time.
const LINES_MAX: usize = 400;

/// When an article was posted.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub(crate) at: Option<Timestamp>,
    /// As the portal's clocks show it; `None` for a placeholder.
    pub(crate) local: Option<(Date, Option<Time>)>,
    /// The blocks that say so, first and last.
    pub(crate) blocks: Option<(usize, usize)>,
    /// What stands beside the time unread.
    pub(crate) rest: String,
    /// Times for machines that say something else, and why they are not believed.
    pub(crate) disbelieved: Vec<(String, LeftOut)>,
    pub(crate) evidence: Evidence,
}

/// What is known before the time is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) head: &'a Head,
    pub(crate) zone: &'a TimeZone,
    pub(crate) region: Region,
    /// The last block of the title, where the page's form shows it.
    pub(crate) title: Option<usize>,
}

/// Decides.
pub(crate) fn decide(asked: Asked<'_>) -> Result<Posting, PageError> {
    let visible = times::visible(asked.reader, asked.region, asked.title);
    if let Some(list) = list(asked, &visible) {
        return Err(list);
    }
    let machines = times::for_machines(asked.head, &asked.reader.blocks, asked.region, asked.zone);
    let bounds = if asked.title.is_some() { WITH_TITLE } else { WITHOUT_TITLE };
    let agree = |a: &Line, b: &Line| a.stamp.agrees(&b.stamp);
    let unsure = match weigh(&visible, bounds, agree) {
        Verdict::One(one) => {
            if let Some(other) = swapped(&one, &visible, &machines) {
                return Err(divided(&one, other));
            }
            let disbelieved = disbelieved(&one, &machines, asked.head);
            return of_visible(one, &visible, &machines, asked.zone).map(|posting| Posting { disbelieved, ..posting });
        }
        Verdict::Divided(one, other) => return Err(divided(&one, &other)),
        Verdict::Unsure(best) => Some(best),
        Verdict::None => None,
    };
    match (weigh(&machines, FOR_MACHINES, |a, b| a.stamp == b.stamp), unsure) {
        (Verdict::One(one), _) => posting(one, asked.zone, true),
        (Verdict::Divided(one, other), _) => Err(divided(&one, &other)),
        (_, Some(best)) => Err(uncertain(&best, None)),
        (Verdict::Unsure(best), None) => Err(uncertain(&best, Some(Clue::OnlyMachines))),
        (Verdict::None, None) => Err(impossible(asked).unwrap_or(PageError::NoDate)),
    }
}

/// A time for machines that says the same with day and month the other way round, where nothing else tells which is right.
fn swapped<'c>(
    one: &Candidate<Line>,
    visible: &[Candidate<Line>],
    machines: &'c [Candidate<Line>],
) -> Option<&'c Candidate<Line>> {
    let day = |candidate: &Candidate<Line>| match candidate.value.stamp {
        Stamp::At { day, .. } => Some(day),
        _ => None,
    };
    let said = day(one)?;
    let turned = posted::swapped(said)?;
    let others = visible.iter().chain(machines).filter(|candidate| candidate.blocks != one.blocks);
    let is_confirmed =
        posted::says_which_is_the_day(&one.text) || others.clone().any(|candidate| day(candidate) == Some(said));
    machines.iter().find(|candidate| !is_confirmed && day(candidate) == Some(turned))
}

/// A line that looks like the time of posting and cannot be one.
fn impossible(asked: Asked<'_>) -> Option<PageError> {
    let blocks = &asked.reader.blocks;
    let places = (0..blocks.len()).filter(|&place| asked.region.holds(&blocks[place]));
    places.take(LINES_MAX).find_map(|place| {
        let why = stamp::impossible(asked.reader, place)?;
        Some(PageError::ImpossibleDate { line: blocks[place].line, text: blocks[place].text.as_str().into(), why })
    })
}

fn uncertain(best: &Candidate<Line>, against: Option<Clue>) -> PageError {
    let clues = best.clues.iter().cloned().chain(against).collect();
    PageError::UncertainDate { line: best.line, text: best.text.as_str().into(), clues }
}

fn divided(one: &Candidate<Line>, other: &Candidate<Line>) -> PageError {
    undecided(PageField::PublishedAt, one, other)
}

/// A visible time, with the time of day that others add to its day.
fn of_visible(
    mut one: Candidate<Line>,
    visible: &[Candidate<Line>],
    machines: &[Candidate<Line>],
    zone: &TimeZone,
) -> Result<Posting, PageError> {
    if let Stamp::At { time: None, .. } = one.value.stamp {
        let exact = |candidate: &&Candidate<Line>| {
            matches!(candidate.value.stamp, Stamp::At { time: Some(_), .. })
                && !candidate.value.is_update
                && candidate.value.stamp.agrees(&one.value.stamp)
        };
        let near = visible.iter().filter(|candidate| candidate.weight >= WITH_TITLE.at_least).find(exact);
        let told: Vec<_> = machines.iter().filter(|c| c.weight >= FOR_MACHINES.at_least).filter(exact).collect();
        let is_one = told.windows(2).all(|pair| pair[0].value.stamp == pair[1].value.stamp);
        let exact = near.or_else(|| told.first().copied().filter(|_| is_one)).cloned();
        if let Some(exact) = exact {
            one.value.stamp = exact.value.stamp;
            one.clues.push(match exact.clues.into_iter().next() {
                Some(Clue::Machines(by)) => Clue::TimeFrom(by),
                _ => Clue::TimeFromLine,
            });
        }
    }
    let is_assumed = one.value.is_update;
    posting(one, zone, is_assumed)
}

fn posting(one: Candidate<Line>, zone: &TimeZone, is_assumed: bool) -> Result<Posting, PageError> {
    let impossible = |why: DateFault| PageError::ImpossibleDate { line: one.line, text: one.text.as_str().into(), why };
    let (at, local, value) = match &one.value.stamp {
        Stamp::Impossible(why) => return Err(impossible(why.clone())),
        Stamp::Placeholder => (None, None, one.text.clone()),
        Stamp::At { day, time } => {
            let at = Stamp::instant(*day, *time, zone).ok_or_else(|| impossible(DateFault::OutOfRange))?;
            (
                Some(at),
                Some((*day, *time)),
                at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            )
        }
    };
    let evidence = one.chosen(PageField::PublishedAt, value, is_assumed);
    Ok(Posting { at, local, blocks: one.blocks, rest: one.value.rest, disbelieved: Vec::new(), evidence })
}

/// What machines are told and the visible time does not say.
fn disbelieved(one: &Candidate<Line>, machines: &[Candidate<Line>], head: &Head) -> Vec<(String, LeftOut)> {
    let other = machines.iter().filter(|candidate| !candidate.value.stamp.agrees(&one.value.stamp));
    let other =
        other.map(|candidate| (candidate.text.clone(), LeftOut::OtherMachineTime { by: machine_name(candidate) }));
    let is_read = |said: &str| machines.iter().any(|candidate| candidate.text == said);
    let unread = head.times.iter().filter(|said| !is_read(&said.value));
    let unread = unread.map(|said| (said.value.clone(), LeftOut::UnreadMachineTime { by: said.by.into() }));
    other.chain(unread).collect()
}

/// By what name machines are told a time.
fn machine_name(candidate: &Candidate<Line>) -> Quoted {
    let by = candidate.clues.iter().find_map(|clue| match clue {
        Clue::Machines(by) => Some(by.clone()),
        _ => None,
    });
    by.unwrap_or_default()
}

/// Refuses a list of articles: three times or more, each close behind a title of its own.
fn list(asked: Asked<'_>, visible: &[Candidate<Line>]) -> Option<PageError> {
    const ITEMS_MIN: usize = 3;
    const WORDS_BETWEEN_MAX: usize = 4;
    let under_links: Vec<_> =
        visible.iter().filter(|c| c.clues.contains(&Clue::UnderLink) && asked_holds(asked, c)).collect();
    let own = visible.iter().any(|c| c.weight >= WITH_TITLE.at_least);
    if under_links.len() >= ITEMS_MIN && !own {
        return Some(of_list(under_links.len(), under_links[0]));
    }
    let places: Vec<_> = visible.iter().filter(|c| c.weight >= WITH_TITLE.at_least).collect();
    let mut run = 1;
    for pair in places.windows(2) {
        let (Some((_, before)), Some((next, _))) = (pair[0].blocks, pair[1].blocks) else { continue };
        let between = asked.reader.blocks[before + 1..next].iter().filter(|block| block.is_words()).count();
        run = if (1..=WORDS_BETWEEN_MAX).contains(&between) { run + 1 } else { 1 };
        if run >= ITEMS_MIN {
            return Some(of_list(places.len(), places[0]));
        }
    }
    None
}

fn asked_holds(asked: Asked<'_>, candidate: &Candidate<Line>) -> bool {
    candidate.blocks.is_some_and(|(place, _)| asked.region.holds(&asked.reader.blocks[place]))
}

fn of_list(items: usize, first: &Candidate<Line>) -> PageError {
    PageError::List { items, line: first.line, text: first.text.as_str().into() }
}
