//! Who hears a run's events: progress bars, `metrics.jsonl`, a program's closure.

use crate::error::TrainError;
use crate::event::{Control, Event};

/// Whoever wants to know. A closure `FnMut(&Event) -> Control` is one.
pub trait Observer {
    /// Is told each event, on the training thread, in order. After [`Control::Stop`] the run saves
    /// a checkpoint at the next finished step and ends with [`Status::Stopped`](crate::Status::Stopped).
    fn on_event(&mut self, event: &Event) -> Control;

    /// What went wrong while the observer heard the last event, such as a file that could not be written; it
    /// ends the run. Asked after each event.
    fn take_error(&mut self) -> Option<TrainError> {
        None
    }
}

impl<F: FnMut(&Event) -> Control> Observer for F {
    fn on_event(&mut self, event: &Event) -> Control {
        self(event)
    }
}

/// Several observers, told in the order in which they were added. The run stops if any of them says so.
#[derive(Default)]
pub struct Observers<'a> {
    list: Vec<Box<dyn Observer + 'a>>,
}

impl<'a> Observers<'a> {
    /// Nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, behind those that are there.
    pub fn add(&mut self, observer: impl Observer + 'a) {
        self.list.push(Box::new(observer));
    }
}

impl Observer for Observers<'_> {
    fn on_event(&mut self, event: &Event) -> Control {
        let mut control = Control::Continue;
        for observer in &mut self.list {
            if observer.on_event(event) == Control::Stop {
                control = Control::Stop;
            }
        }
        control
    }

    fn take_error(&mut self) -> Option<TrainError> {
        self.list.iter_mut().find_map(|observer| observer.take_error())
    }
}

/// Tells `observer`.
///
/// # Errors
///
/// The observer's own, see [`Observer::take_error`].
pub(crate) fn tell(observer: &mut dyn Observer, event: &Event) -> Result<Control, TrainError> {
    let control = observer.on_event(event);
    observer.take_error().map_or(Ok(control), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_hears_every_event_and_one_that_says_stop_is_enough() {
        let event = Event::Notice { message: "x".to_owned() };
        let (mut first, mut last) = (0, 0);
        let mut observers = Observers::new();
        observers.add(|_: &Event| {
            first += 1;
            Control::Stop
        });
        observers.add(|_: &Event| {
            last += 1;
            Control::Continue
        });
        assert_eq!(observers.on_event(&event), Control::Stop);
        drop(observers);
        assert_eq!((first, last), (1, 1));
    }
}
