//! The journey of an article: what each ledger did with it, merged by time.

use crate::Service;
use loa_domain::{ArticleId, JourneyStep};
use loa_store::StoreError;
use serde::Serialize;

/// What became of an article, as far as could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Journey {
    /// Whose.
    pub id: ArticleId,
    /// Oldest first; steps of one instant in the order of the pipeline.
    pub steps: Vec<JourneyStep>,
    /// Ledgers that did not answer: their steps are missing. Empty: the journey is whole.
    pub unavailable: Vec<&'static str>,
}

impl Service {
    /// Asks each ledger.
    pub async fn journey(&self, id: &ArticleId) -> Journey {
        let doors = &self.0.doors;
        let (intake, feed, digest, push) = tokio::join!(
            doors.intake.journey(id),
            doors.feed.journey(id),
            doors.digest.journey(id),
            doors.push.journey(id)
        );
        merge(id.clone(), [("intake", intake), ("feed", feed), ("digest", digest), ("push", push)])
    }
}

fn merge(id: ArticleId, answers: [(&'static str, Result<Vec<JourneyStep>, StoreError>); 4]) -> Journey {
    let mut journey = Journey { id, steps: Vec::new(), unavailable: Vec::new() };
    for (name, answer) in answers {
        match answer {
            Ok(steps) => journey.steps.extend(steps),
            Err(error) => {
                tracing::warn!(ledger = name, error = %error, "a ledger did not answer for a journey");
                journey.unavailable.push(name);
            }
        }
    }
    // Stable: within one instant the order of the pipeline stays.
    journey.steps.sort_by_key(|step| step.at);
    journey
}

#[cfg(test)]
mod tests {
    use super::*;
    use loa_store::StoreErrorKind;

    #[test]
    fn steps_are_merged_by_time_and_a_ledger_that_is_away_is_named() {
        let step = |at: &str, outlet: &str| JourneyStep {
            at: at.parse().unwrap(),
            outlet: outlet.into(),
            step: "accepted".into(),
            revision: 1,
            detail: String::new(),
        };
        let (early, late) = ("2023-11-16T01:00:00Z", "2023-11-16T02:00:00Z");
        let journey = merge(
            ArticleId::new("a").unwrap(),
            [
                ("intake", Ok(vec![step(early, "intake"), step(late, "intake")])),
                ("feed", Ok(vec![step(early, "feed")])),
                ("digest", Err(StoreError::new(StoreErrorKind::Unavailable, "away"))),
                ("push", Ok(vec![])),
            ],
        );
        let order: Vec<_> = journey.steps.iter().map(|step| step.outlet.as_str()).collect();
        assert_eq!(order, ["intake", "feed", "intake"]);
        assert_eq!(journey.unavailable, ["digest"]);
    }
}
