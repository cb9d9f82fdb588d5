//! Letters of a place (dead ones, and what no binding took): lists, redrives and discards them.
//!
//! AMQP cannot look at a queue without taking from it, and what is given back counts a delivery: under a policy with a
//! delivery limit a few looks would delete a letter. So what is got is not given back. A copy is published to the end of the
//! dead letters with a confirm, and then the original is acked (`docs/adr/0017-looking-is-no-delivery.md`). Two who look at the
//! same time see parts of the list each. A crash in between leaves a letter twice and loses none. A letter that is larger than the
//! broker's `max_message_size` cannot be copied: it is held until all are gone through, and given back.

use crate::{
    carriage::{Grave, Parcel, name_of, read_letter},
    fault::{fault, late, missing_queue, not_carried},
    publish::Publisher,
    topology::depth,
};
use lapin::{
    Acker, Channel,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
};
use loa_bus::{
    BusError, BusErrorKind, Chosen, DeadLetter, Discarded, DiscardedLetter, Place, Redriven, is_routed,
    limits::{BATCH_BYTES_MAX, LIST_BYTES_MAX, ListRoom, stays_unrouted},
};
use loa_domain::{BusFact, StayReason};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::time::timeout;

/// Dead letters that are in hand at a time, with [`BATCH_BYTES_MAX`].
const IN_HAND_MAX: usize = 100;
/// Up to so many letters, and bytes of them, a look goes round once, so that their order stays. Of more, only those that are
/// looked at come to the end.
const ROUND_LETTERS_MAX: u64 = 1_000;
const ROUND_BYTES_MAX: usize = LIST_BYTES_MAX;

/// How often, and after what pause, we look whether what was given back is there again.
const BACK_TRIES_MAX: u32 = 100;
const BACK_PAUSE: Duration = Duration::from_millis(20);

/// The letters of one place, over a channel of their own.
pub(crate) struct Graveyard<'a> {
    channel: Channel,
    place: Place,
    publisher: &'a Publisher,
    answer_timeout: Duration,
    /// Letters that were got and are unsettled.
    held: u64,
    /// Letters that were there at first, and have not gone since.
    there: u64,
    /// Names of the letters that were got.
    names: HashMap<String, String>,
    /// Letters that stood here twice, and stand once now; counted since the last batch.
    twins: u64,
    /// Names this walk, so that it knows its own copies.
    pass: String,
}

/// What becomes of a letter that was got.
enum Fate {
    /// It stays: a copy goes to the end.
    Stays,
    /// It goes to its queue, or, under this routing key, to the exchange.
    Redriven(String),
    /// It is deleted.
    Discarded,
}

/// What came of a batch.
#[derive(Default)]
struct Settled {
    /// Letters that did not stay.
    gone: Vec<DeadLetter>,
    /// Letters that were to go, and that the broker refuses for what they are.
    refused: Vec<(String, BusError)>,
    /// Why some others could not be published.
    failure: Option<BusError>,
}

impl<'a> Graveyard<'a> {
    pub(crate) fn new(
        (channel, place): (Channel, Place),
        publisher: &'a Publisher,
        pass: String,
        answer_timeout: Duration,
    ) -> Self {
        Self { channel, place, publisher, answer_timeout, held: 0, there: 0, names: HashMap::new(), twins: 0, pass }
    }

    /// The oldest letters that are meant; they stay.
    pub(crate) async fn list(mut self, chosen: &Chosen, max: usize) -> Result<Vec<DeadLetter>, BusError> {
        let max = match chosen {
            Chosen::Keys(keys) => max.min(keys.len()),
            Chosen::All | Chosen::Ids(_) => max,
        };
        let (mut letters, mut bytes, mut room) = (Vec::new(), 0, ListRoom::default());
        let result = async {
            let count = self.count().await?;
            self.there = count;
            let goes_round = count <= ROUND_LETTERS_MAX;
            let mut left = count;
            while left > 0 && (letters.len() < max || (goes_round && bytes < ROUND_BYTES_MAX)) {
                let all = goes_round || *chosen != Chosen::All;
                let most = if all { left } else { left.min((max - letters.len()) as u64) };
                let batch = self.take(most).await?;
                let twins = std::mem::take(&mut self.twins);
                if batch.is_empty() && twins == 0 {
                    break;
                }
                left = left.saturating_sub(batch.len() as u64 + twins);
                bytes += batch.iter().map(|(_, grave)| grave.letter.message.body.len()).sum::<usize>();
                for (_, Grave { letter, .. }) in &batch {
                    let is_shown = letters.iter().any(|shown: &DeadLetter| shown.key == letter.key);
                    if letters.len() < max && chosen.takes(letter) && !is_shown {
                        let mut shown = letter.clone();
                        if !room.takes(shown.bytes) {
                            shown.message.body = Default::default();
                        }
                        letters.push(shown);
                    }
                }
                let mut settled = Settled::default();
                let broke =
                    self.settle(batch.into_iter().map(|taken| (taken, Fate::Stays)).collect(), &mut settled).await;
                if let Some(error) = broke.err().or(settled.failure) {
                    // They go back to their places when the channel closes, which counts a delivery. A part of the letters is no
                    // answer: it looks like all of them.
                    return Err(error);
                }
            }
            Ok(())
        }
        .await;
        self.leave().await;
        result.map(|()| letters)
    }

    /// Publishes letters again and acks those that arrived.
    pub(crate) async fn redrive(mut self, chosen: &Chosen, routing_key: Option<&str>) -> Result<Redriven, BusError> {
        let mut redriven = Redriven::default();
        let unrouted = self.place == Place::Unrouted;
        let by_key = matches!(chosen, Chosen::Keys(_));
        let mut stays = Vec::new();
        let fate = |letter: &DeadLetter| {
            let key = routing_key.unwrap_or(&letter.routing_key);
            match chosen.takes(letter) {
                true if unrouted && !is_routed(key) => {
                    stays.push((letter.key.clone(), stays_unrouted(key)));
                    Fate::Stays
                }
                true => Fate::Redriven(key.to_owned()),
                false => Fate::Stays,
            }
        };
        let result = self.go_through(fate, |settled| {
            redriven.moved += settled.gone.len() as u64;
            redriven.met.extend(settled.gone.into_iter().filter(|_| by_key).map(|letter| letter.key));
            for (key, error) in settled.refused {
                redriven.stays(&key, StayReason::NotCarried(not_carried(error)));
                redriven.met.extend(by_key.then_some(key));
            }
        });
        let result = result.await;
        self.leave().await;
        for (key, why) in stays {
            redriven.stays(&key, why);
            redriven.met.extend(by_key.then_some(key));
        }
        redriven.ended(result)
    }

    /// Deletes letters; returns their names.
    pub(crate) async fn discard(mut self, chosen: &Chosen) -> Result<Discarded, BusError> {
        let (mut letters, mut named) = (Vec::new(), HashSet::new());
        let fate = |letter: &DeadLetter| if chosen.takes(letter) { Fate::Discarded } else { Fate::Stays };
        // a letter that stood here twice is one
        let gone = |settled: Settled| {
            letters.extend(
                settled.gone.into_iter().map(DiscardedLetter::from).filter(|letter| named.insert(letter.key.clone())),
            );
        };
        let result = self.go_through(fate, gone).await;
        self.leave().await;
        match result {
            Err(error) if letters.is_empty() => Err(error),
            // what is deleted is deleted, and must be told
            result => Ok(Discarded { letters, unfinished: result.err() }),
        }
    }

    /// Goes through all letters that are there now, once. Letters that come meanwhile come after them. `done` hears what came of
    /// each batch.
    async fn go_through(
        &mut self,
        mut fate: impl FnMut(&DeadLetter) -> Fate,
        mut done: impl FnMut(Settled),
    ) -> Result<(), BusError> {
        let mut left = self.count().await?;
        self.there = left;
        while left > 0 {
            let batch = self.take(left).await?;
            let twins = std::mem::take(&mut self.twins);
            if batch.is_empty() && twins == 0 {
                break;
            }
            left = left.saturating_sub(batch.len() as u64 + twins);
            let mut fated = Vec::with_capacity(batch.len());
            for taken in batch {
                let fate = fate(&taken.1.letter);
                fated.push((taken, fate));
            }
            let mut settled = Settled::default();
            let broke = self.settle(fated, &mut settled).await;
            self.there = self.there.saturating_sub(settled.gone.len() as u64);
            let failure = settled.failure.take();
            // what is gone is told, whatever became of the others
            done(settled);
            broke?;
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gets the next letters, up to so many.
    async fn take(&mut self, most: u64) -> Result<Vec<(Acker, Grave)>, BusError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while (batch.len() as u64) + self.twins < most && batch.len() < IN_HAND_MAX && bytes < BATCH_BYTES_MAX {
            let Some((acker, mut grave)) = self.get().await? else { break };
            if grave.pass == self.pass {
                // a copy of ours: somebody else has some in hand, and this walk is round. It goes back to its place.
                break;
            }
            let content = name_of(&grave.letter);
            let is_known = grave.is_named && self.names.get(&grave.letter.key) == Some(&content);
            if is_known && batch.iter().any(|(_, held): &(Acker, Grave)| held.letter.key == grave.letter.key) {
                // Its copy was confirmed too late to be believed, so it was given back, and stands here twice. The other one is
                // in hand and unsettled. One that was settled is no reason: who else walks here may have taken its copy, and
                // this one may be that one's copy, the last there is.
                self.forget(&acker).await?;
                self.there = self.there.saturating_sub(1);
                self.twins += 1;
                continue;
            }
            bytes += grave.letter.message.body.len();
            if !is_known {
                self.tell_apart(&mut grave.letter, content);
            }
            batch.push((acker, grave));
        }
        Ok(batch)
    }

    /// Gives a letter that looks like another one a name of its own. Its copy keeps it.
    fn tell_apart(&mut self, letter: &mut DeadLetter, content: String) {
        let mut number = 1;
        let mut name = letter.key.clone();
        while self.names.contains_key(&name) {
            number += 1;
            name = format!("{}-{number}", letter.key);
        }
        self.names.insert(name.clone(), content);
        letter.key = name;
    }

    /// Does to each letter what it is to meet: publishes copies with confirms, and acks the originals of those that arrived.
    async fn settle(&mut self, batch: Vec<((Acker, Grave), Fate)>, settled: &mut Settled) -> Result<(), BusError> {
        let (mut published, mut parcels) = (Vec::new(), Vec::new());
        for ((acker, grave), fate) in batch {
            match fate {
                Fate::Discarded => {
                    self.forget(&acker).await?;
                    settled.gone.push(grave.letter);
                }
                Fate::Redriven(key) => {
                    published.push((acker, Some(grave.letter.clone())));
                    parcels.push(Parcel::redriven(grave, &key));
                }
                Fate::Stays => {
                    published.push((acker, None));
                    parcels.push(Parcel::kept(grave, &self.pass));
                }
            }
        }
        for ((acker, letter), outcome) in published.into_iter().zip(self.publisher.publish_letters(&parcels).await) {
            match outcome {
                // what arrived is settled, whatever happened to the others
                Ok(()) => {
                    self.forget(&acker).await?;
                    settled.gone.extend(letter);
                }
                // it is held until the end, so that the others can be gone through
                Err(error) if error.kind == BusErrorKind::Rejected => match letter {
                    Some(letter) => settled.refused.push((letter.key, error)),
                    None => {
                        tracing::debug!(place = %self.place, %error, "a letter that stays is given back, which counts as a delivery");
                    }
                },
                Err(error) => settled.failure = Some(error),
            }
        }
        Ok(())
    }

    async fn count(&self) -> Result<u64, BusError> {
        depth(&self.channel, self.place.name(), self.answer_timeout).await
    }

    async fn get(&mut self) -> Result<Option<(Acker, Grave)>, BusError> {
        let name = self.place.name();
        let get = self.channel.basic_get(name.into(), BasicGetOptions::default());
        match timeout(self.answer_timeout, get).await {
            Ok(Ok(got)) => Ok(got.map(|got| {
                self.held += 1;
                let acker = got.delivery.acker.clone();
                (acker, read_letter(self.place, got.delivery))
            })),
            Ok(Err(error)) if crate::fault::is_not_found(&error) => Err(missing_queue(name)),
            Ok(Err(error)) => Err(fault(&format!("read {name}"), error)),
            Err(_) => Err(late(&format!("read {name}"))),
        }
    }

    async fn forget(&mut self, acker: &Acker) -> Result<(), BusError> {
        match timeout(self.answer_timeout, acker.ack(BasicAckOptions::default())).await {
            Ok(Ok(true)) => {
                self.held -= 1;
                Ok(())
            }
            Ok(Ok(false)) => Err(BusError::new(
                BusErrorKind::Unavailable,
                format!("the channel to {} was closed in the middle", self.place.name()),
            )
            .about(BusFact::ConnectionLost)),
            Ok(Err(error)) => Err(fault(&format!("settle in {}", self.place.name()), error)),
            Err(_) => Err(late(&format!("settle in {}", self.place.name()))),
        }
    }

    /// Gives back letters that could not be settled, if any, and waits until the queue has them again, so that the next
    /// look sees all of them. (A quorum queue takes them back some moments after the `nack`. If somebody else took one
    /// meanwhile, the wait still ends.)
    async fn leave(self) {
        let leave = async {
            if self.held == 0 {
                return self.channel.close(200, "bye".into()).await;
            }
            // tag 0 with `multiple`: everything got and not settled
            self.channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true }).await?;
            for _ in 0..BACK_TRIES_MAX {
                if self.count().await.is_ok_and(|ready| ready >= self.there) {
                    break;
                }
                tokio::time::sleep(BACK_PAUSE).await;
            }
            self.channel.close(200, "bye".into()).await
        };
        match timeout(self.answer_timeout, leave).await {
            Ok(Ok(())) => {}
            // the channel is closed with this value, and then the broker gives them back itself
            Ok(Err(error)) => tracing::debug!(%error, "the channel of dead letters could not be closed in order"),
            Err(_) => tracing::debug!("the broker did not answer the farewell"),
        }
    }
}
