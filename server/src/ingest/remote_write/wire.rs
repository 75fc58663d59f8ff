//! A walk over the bytes of a `WriteRequest` that borrows its texts and copies only numbers.
//!
//! Decoding each label into a string of its own costs five times as much as everything else that
//! is done with a request. The walk calls back for each series with its labels' bytes as they
//! stand in the message, which is all that is needed to recognise a series that was seen before.
//! Rare parts (exemplars, metadata) are handed over as bytes for prost.
//!
//! Untrusted input: every length is checked against what is there; nothing recurses.

use super::WriteError;
use super::message::FloatSample;

/// A series as it stands in the message.
#[derive(Debug, Default)]
pub(super) struct WireSeries<'a> {
    /// The label fields, tags and lengths included, as they stand one after another.
    pub(super) label_bytes: &'a [u8],
    /// The samples in their order.
    pub(super) samples: Vec<FloatSample>,
    /// Exemplars, undecoded.
    pub(super) exemplars: Vec<&'a [u8]>,
    /// Whether there are native histograms.
    pub(super) has_histograms: bool,
}

/// Tags of length-delimited and other fields: number and wire type.
const SERIES: u64 = 1 << 3 | BYTES;
const METADATA: u64 = 3 << 3 | BYTES;
const LABEL: u64 = 1 << 3 | BYTES;
const SAMPLE: u64 = 2 << 3 | BYTES;
const EXEMPLAR: u64 = 3 << 3 | BYTES;
const HISTOGRAM: u64 = 4 << 3 | BYTES;
const FIRST_TEXT: u64 = 1 << 3 | BYTES;
const SECOND_TEXT: u64 = 2 << 3 | BYTES;
const VALUE: u64 = 1 << 3 | FIXED64;
const TIMESTAMP: u64 = 2 << 3;

/// Wire types.
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Calls `series` for each series (its buffers are used again) and `metadata` with the bytes of
/// each metadata entry.
pub(super) fn walk<'a>(
    message: &'a [u8],
    mut series: impl FnMut(&WireSeries<'a>) -> Result<(), WriteError>,
    mut metadata: impl FnMut(&'a [u8]) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    let mut rest = message;
    let mut current = WireSeries::default();
    while !rest.is_empty() {
        match varint(&mut rest)? {
            SERIES => {
                read_series(bytes(&mut rest)?, &mut current)?;
                series(&current)?;
            }
            METADATA => metadata(bytes(&mut rest)?)?,
            tag => skip(tag, &mut rest)?,
        }
    }
    Ok(())
}

fn read_series<'a>(message: &'a [u8], series: &mut WireSeries<'a>) -> Result<(), WriteError> {
    series.samples.clear();
    series.exemplars.clear();
    series.has_histograms = false;
    let mut rest = message;
    let mut labels_end = 0;
    while !rest.is_empty() {
        let at = message.len() - rest.len();
        match varint(&mut rest)? {
            LABEL if at == labels_end => {
                bytes(&mut rest)?;
                labels_end = message.len() - rest.len();
            }
            LABEL => return Err(malformed("labels of a series stand apart")),
            SAMPLE => series.samples.push(read_sample(bytes(&mut rest)?)?),
            EXEMPLAR => series.exemplars.push(bytes(&mut rest)?),
            HISTOGRAM => {
                bytes(&mut rest)?;
                series.has_histograms = true;
            }
            tag => skip(tag, &mut rest)?,
        }
    }
    series.label_bytes = &message[..labels_end];
    Ok(())
}

fn read_sample(message: &[u8]) -> Result<FloatSample, WriteError> {
    let mut sample = FloatSample::default();
    let mut rest = message;
    while !rest.is_empty() {
        match varint(&mut rest)? {
            VALUE => sample.value = f64::from_le_bytes(fixed64(&mut rest)?),
            // Negative numbers are ten bytes long and wrap.
            TIMESTAMP => sample.timestamp = varint(&mut rest)?.cast_signed(),
            tag => skip(tag, &mut rest)?,
        }
    }
    Ok(sample)
}

/// The pairs of [`WireSeries::label_bytes`].
pub(super) fn labels(label_bytes: &[u8]) -> Result<Vec<(&str, &str)>, WriteError> {
    let mut rest = label_bytes;
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        varint(&mut rest)?;
        let mut label = bytes(&mut rest)?;
        let mut pair = ("", "");
        while !label.is_empty() {
            match varint(&mut label)? {
                FIRST_TEXT => pair.0 = text(&mut label)?,
                SECOND_TEXT => pair.1 = text(&mut label)?,
                tag => skip(tag, &mut label)?,
            }
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn malformed(what: &'static str) -> WriteError {
    WriteError::Malformed(what)
}

fn varint(rest: &mut &[u8]) -> Result<u64, WriteError> {
    let mut value = 0_u64;
    for (index, byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Ok(value);
        }
    }
    Err(malformed("a number breaks off or is too long"))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], WriteError> {
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
    let (taken, after) = rest.split_at(length.ok_or(malformed("a field breaks off"))?);
    *rest = after;
    Ok(taken)
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], WriteError> {
    let length = varint(rest)?;
    take(rest, length)
}

fn text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, WriteError> {
    std::str::from_utf8(bytes(rest)?).map_err(|_| malformed("a text is not UTF-8"))
}

fn fixed64(rest: &mut &[u8]) -> Result<[u8; 8], WriteError> {
    let taken = take(rest, 8)?;
    taken.try_into().map_err(|_| malformed("a field breaks off"))
}

/// Passes over a field that is not known here.
fn skip(tag: u64, rest: &mut &[u8]) -> Result<(), WriteError> {
    match tag & 7 {
        0 => varint(rest).map(drop),
        FIXED64 => take(rest, 8).map(drop),
        BYTES => bytes(rest).map(drop),
        FIXED32 => take(rest, 4).map(drop),
        _ => Err(malformed("a field has an unknown wire type")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use prost::Message;

    use super::super::message::{LabelPair, TimeSeries, WriteRequest};
    use super::*;

    fn walked(message: &[u8]) -> Result<Vec<TimeSeries>, WriteError> {
        let mut all = Vec::new();
        let one = |series: &WireSeries<'_>| {
            let pairs = labels(series.label_bytes)?.into_iter();
            let labels =
                pairs.map(|(name, value)| LabelPair { name: name.into(), value: value.into() });
            all.push(TimeSeries {
                labels: labels.collect(),
                samples: series.samples.clone(),
                ..TimeSeries::default()
            });
            Ok(())
        };
        walk(message, one, |_| Ok(()))?;
        Ok(all)
    }

    fn series() -> impl Strategy<Value = TimeSeries> {
        let label = (".{0,9}", ".{0,200}").prop_map(|(name, value)| LabelPair { name, value });
        let sample = (any::<u64>(), any::<i64>())
            .prop_map(|(bits, timestamp)| FloatSample { value: f64::from_bits(bits), timestamp });
        (vec(label, 0..5), vec(sample, 0..5)).prop_map(|(labels, samples)| TimeSeries {
            labels,
            samples,
            ..TimeSeries::default()
        })
    }

    proptest! {
        #[test]
        fn the_walk_sees_what_prost_decodes(timeseries in vec(series(), 0..5)) {
            let request = WriteRequest { timeseries, metadata: Vec::new() };
            let seen = walked(&request.encode_to_vec()).unwrap();
            // NaN differs from itself, so the bytes are compared.
            let seen = WriteRequest { timeseries: seen, metadata: Vec::new() };
            prop_assert_eq!(seen.encode_to_vec(), request.encode_to_vec());
        }

        #[test]
        fn any_bytes_are_survived(
            timeseries in vec(series(), 1..4),
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = WriteRequest { timeseries, metadata: Vec::new() }.encode_to_vec();
            bytes.push(0);
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            let _ = walked(&bytes);
            let _ = walked(&bytes[..cut.index(bytes.len())]);
        }
    }
}
