//! How long to wait before a lost connection is made again.

use std::sync::Arc;
use std::time::Duration;

const MOST_TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Gives numbers of [0, 1). Tests bring their own.
pub(crate) type Random = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Counts the tries in a row.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// The pause before the next one: 1, 2, 4, 8 and 16 s, less up to half of it, so that many
    /// clients of a server that comes back do not come at once. None once all have failed.
    pub(crate) fn next(&mut self, random: &Random) -> Option<Duration> {
        if self.0 == MOST_TRIES {
            return None;
        }
        let full = FIRST_PAUSE * (1 << self.0);
        self.0 += 1;
        Some(full.mul_f64(1.0 - random() / 2.0))
    }

    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(random: f64) -> Vec<f64> {
        let random: Random = Arc::new(move || random);
        let mut tries = Tries::default();
        std::iter::from_fn(|| tries.next(&random))
            .map(|pause| pause.as_secs_f64())
            .collect()
    }

    #[test]
    fn pauses_double_and_end() {
        assert_eq!(pauses(0.0), [1.0, 2.0, 4.0, 8.0, 16.0]);
    }

    #[test]
    fn chance_takes_up_to_half_of_a_pause() {
        assert_eq!(pauses(0.5), [0.75, 1.5, 3.0, 6.0, 12.0]);
        assert_eq!(pauses(1.0), [0.5, 1.0, 2.0, 4.0, 8.0]);
    }

    #[test]
    fn a_checkpoint_sets_them_back() {
        let random: Random = Arc::new(|| 0.0);
        let mut tries = Tries::default();
        tries.next(&random);
        tries.next(&random);
        tries.reset();
        assert_eq!(tries.next(&random), Some(FIRST_PAUSE));
    }
}
