//! The journey of an article: what each ledger did with it, merged by time. Facts come from the ledgers; sentences are made of
//! them when the journey is shown, in the reader's language.

use crate::Service;
use loa_domain::{ArticleKey, JourneyLine, Outlet};
use loa_store::StoreError;
use loa_words::Language;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of an article, as far as could be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Whose.
    pub id: ArticleKey,
    /// Oldest first; lines of one instant in the order of the pipeline.
    pub lines: Vec<JourneyLine>,
    /// Ledgers that did not answer: their lines are missing. Empty: the journey is whole.
    pub unavailable: Vec<Outlet>,
}

/// What became of an article, as far as could be asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Journey)]
pub(crate) struct JourneyShown {
    id: ArticleKey,
    /// Oldest first; steps of one instant in the order of the pipeline.
    steps: Vec<StepShown>,
    /// Ledgers that did not answer: their steps are missing. Empty: the journey is whole.
    unavailable: Vec<Outlet>,
}

/// What one ledger did, once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JourneyStepShown)]
struct StepShown {
    #[serde(flatten)]
    line: JourneyLine,
    /// The same in a sentence for people.
    detail: String,
}

impl Journey {
    /// With a sentence for each step, in this language.
    pub(crate) fn shown(self, language: Language) -> JourneyShown {
        let shown = |line: JourneyLine| StepShown { detail: language.words().told(&line.step), line };
        JourneyShown { id: self.id, steps: self.lines.into_iter().map(shown).collect(), unavailable: self.unavailable }
    }
}

impl Service {
    /// Asks each ledger.
    pub async fn journey(&self, id: &ArticleKey) -> Journey {
        let doors = &self.0.doors;
        let (intake, feed, digest, push) = tokio::join!(
            doors.intake.journey(id),
            doors.feed.journey(id),
            doors.digest.journey(id),
            doors.push.journey(id)
        );
        let answers = [(Outlet::Intake, intake), (Outlet::Feed, feed), (Outlet::Digest, digest), (Outlet::Push, push)];
        merge(id.clone(), answers)
    }
}

fn merge(id: ArticleKey, answers: [(Outlet, Result<Vec<JourneyLine>, StoreError>); 4]) -> Journey {
    let mut journey = Journey { id, lines: Vec::new(), unavailable: Vec::new() };
    for (outlet, answer) in answers {
        match answer {
            Ok(lines) => journey.lines.extend(lines),
            Err(error) => {
                tracing::warn!(ledger = outlet.as_str(), error = %error, "a ledger did not answer for a journey");
                journey.unavailable.push(outlet);
            }
        }
    }
    // Stable: within one instant the order of the pipeline stays.
    journey.lines.sort_by_key(|line| line.at);
    journey
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_domain::JourneyStep;
    use loa_store::StoreErrorKind;

    #[test]
    fn lines_are_merged_by_time_and_a_ledger_that_is_away_is_named() {
        let line = |at: &str, outlet: Outlet| JourneyLine {
            at: at.parse().unwrap(),
            outlet,
            revision: 1,
            step: JourneyStep::Accepted,
        };
        let (early, late) = ("2023-11-16T01:00:00Z", "2023-11-16T02:00:00Z");
        let journey = merge(
            "a".parse::<ArticleKey>().unwrap(),
            [
                (Outlet::Intake, Ok(vec![line(early, Outlet::Intake), line(late, Outlet::Intake)])),
                (Outlet::Feed, Ok(vec![line(early, Outlet::Feed)])),
                (Outlet::Digest, Err(StoreError::new(StoreErrorKind::Unavailable, "away"))),
                (Outlet::Push, Ok(vec![])),
            ],
        );
        let order: Vec<_> = journey.lines.iter().map(|line| line.outlet).collect();
        assert_eq!(order, [Outlet::Intake, Outlet::Feed, Outlet::Intake]);
        assert_eq!(journey.unavailable, [Outlet::Digest]);
        let shown = serde_json::to_value(journey.shown(Language::English)).unwrap();
        assert_eq!(shown["steps"][1]["step"], "accepted");
        assert_eq!(shown["steps"][1]["detail"], "The outlet accepted this version.");
    }
}
