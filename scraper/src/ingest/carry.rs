//! A target whose group in the store is another one now: the store forgot the old one, or replaced
//! it because most of its columns had ended.
//!
//! Numbers of columns mean nothing in the new group. What lived on the last page is defined there
//! again, so that series which end on the very next page are still told to end. The lines of that
//! page say what the series are.

use std::collections::HashMap;

use tsdb::model::Labels;
use tsdb::{Append, GroupRef};

use super::layout::{Fate, Layout, NewLayout};
use super::reading::Reading;
use super::row::Row;
use super::{Ingest, IngestError};
use crate::parse::PageFormat;

/// What was known of the old group, until the new one is sure.
#[derive(Debug)]
pub(super) struct Former {
    group: GroupRef,
    row: Row,
    layout: Layout,
    labels: HashMap<u32, Labels>,
}

impl Ingest {
    /// Defines what lives in `group`, instead of in the group before.
    pub(super) fn carry(
        &mut self,
        before: GroupRef,
        group: GroupRef,
        append: &mut dyn Append,
    ) -> Result<(), IngestError> {
        let former = Former {
            group: before,
            row: std::mem::take(&mut self.row),
            layout: std::mem::take(&mut self.layout),
            labels: std::mem::take(&mut self.labels),
        };
        self.families.forget_telling();
        match self.define_again(&former, group, append) {
            Ok(()) => self.former = Some(former),
            Err(error) => {
                self.go_back_to(former);
                return Err(error);
            }
        }
        Ok(())
    }

    fn define_again(
        &mut self,
        former: &Former,
        group: GroupRef,
        append: &mut dyn Append,
    ) -> Result<(), IngestError> {
        self.prepare(group, append)?;
        let Some(format) = former.layout.format else { return Ok(()) };
        let mut reading = self.read_again(former, format)?;
        self.register(group, &mut reading, append)?;
        let new = reading.layout.map(NewLayout::finish).unwrap_or_default();
        for (old, new) in former.layout.fates.iter().zip(&new.fates) {
            if let (Fate::Column(old), Fate::Column(new)) = (old, new) {
                self.row.set_living(*new, former.row.is_living(*old));
            }
        }
        self.layout = new;
        Ok(())
    }

    /// The last page, with its living series as if they were new.
    fn read_again(&mut self, former: &Former, format: PageFormat) -> Result<Reading, IngestError> {
        let mut reading = Reading::default();
        let mut layout = NewLayout::new(format);
        self.families.rewind();
        for ((text, series), old) in former.layout.lines().zip(&former.layout.fates) {
            match format {
                PageFormat::Lines(format) if !self.belong_together(format) => {
                    self.families.learn_all(&text[..series], format);
                }
                // Such lines have no comments.
                _ => self.families.recall(&crate::parse::series::decode(&text[series..]).0),
            }
            let fate = if matches!(old, Fate::Column(_)) { Fate::Fresh } else { *old };
            let line = layout.push(text, series, fate);
            if matches!(old, Fate::Column(place) if former.row.is_living(*place)) {
                layout.fates[line] =
                    self.decide(Fate::Fresh, line, &text[series..], false, &mut reading)?;
            }
        }
        layout.tail.clone_from(&former.layout.tail);
        reading.layout = Some(layout);
        Ok(reading)
    }

    /// What was appended to the new group is dropped: the old one is what is known.
    pub(super) fn go_back_to(&mut self, former: Former) {
        let Former { group, row, layout, labels } = former;
        self.group = Some(group);
        (self.row, self.layout, self.labels) = (row, layout, labels);
    }
}
