//! Calendar dates of Unix times, in UTC.
//!
//! Days are counted in 400-year eras that begin on 1 March, so that the leap day is the last day
//! of a year ("days from civil" as published by Howard Hinnant). Valid for every `i64` of seconds.

use tsdb::model::Timestamp;

const DAY_S: i64 = 86_400;
/// Days in 400 years of the Gregorian calendar.
const ERA_DAYS: i64 = 146_097;

/// A point in time as a calendar shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1…12
    pub(crate) month: u32,
    /// 1…31
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    /// 0 is Sunday.
    pub(crate) weekday: u32,
}

impl Civil {
    /// The date and time `seconds` after the epoch.
    pub(crate) fn from_unix(seconds: i64) -> Self {
        let (days, in_day) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
        let from_march = days + 719_468;
        let (era, in_era) = (from_march.div_euclid(ERA_DAYS), from_march.rem_euclid(ERA_DAYS));
        let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
        let day_in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
        let march_month = (5 * day_in_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_in_era + era * 400 + i64::from(month <= 2),
            month: month as u32,
            day: (day_in_year - (153 * march_month + 2) / 5 + 1) as u32,
            hour: (in_day / 3_600) as u32,
            minute: (in_day / 60 % 60) as u32,
            second: (in_day % 60) as u32,
            weekday: (days + 4).rem_euclid(7) as u32,
        }
    }

    /// 1…366
    pub(crate) fn day_of_year(&self) -> u32 {
        (1..self.month).map(|month| days_in_month(self.year, month)).sum::<u32>() + self.day
    }

    /// 28…31
    pub(crate) fn days_in_month(&self) -> u32 {
        days_in_month(self.year, self.month)
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `2023-12-25T00:00:00Z`
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let Civil { year, month, day, hour, minute, second, .. } =
        Civil::from_unix(time.ms().div_euclid(1000));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let rows = [
            (0, "1970-01-01T00:00:00Z", 4, 1, 31),
            (-1, "1969-12-31T23:59:59Z", 3, 365, 31),
            (951_782_400, "2000-02-29T00:00:00Z", 2, 60, 29),
            (1_709_251_199, "2024-02-29T23:59:59Z", 4, 60, 29),
            (1_735_689_599, "2024-12-31T23:59:59Z", 2, 366, 31),
            (4_107_542_400, "2100-03-01T00:00:00Z", 1, 60, 31),
            (-2_203_891_200, "1900-03-01T00:00:00Z", 4, 60, 31),
        ];
        for (seconds, text, weekday, day_of_year, days) in rows {
            let date = Civil::from_unix(seconds);
            assert_eq!(rfc3339(Timestamp::from_ms(seconds * 1000)), text);
            assert_eq!(
                (date.weekday, date.day_of_year(), date.days_in_month()),
                (weekday, day_of_year, days),
                "{text}"
            );
        }
    }

    #[test]
    fn every_second_has_a_date() {
        for seconds in [i64::MIN, i64::MAX] {
            assert!((1..=12).contains(&Civil::from_unix(seconds).month));
        }
    }
}
