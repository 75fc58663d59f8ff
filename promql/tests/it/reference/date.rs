//! Parts of a date, by counting years and months from 1970 on.

/// A moment of the Gregorian calendar in UTC.
pub(super) struct Date {
    year: i64,
    /// From 0 on, as `day_of_year`'s.
    month: usize,
    day: i64,
    day_of_year: i64,
    days: i64,
    second_of_day: i64,
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && year % 100 != 0 || year % 400 == 0
}

fn days_of_months(year: i64) -> [i64; 12] {
    [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

impl Date {
    pub(super) fn at(seconds: i64) -> Self {
        let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let length = |year| days_of_months(year).iter().sum::<i64>();
        let (mut year, mut rest) = (1970, days);
        while rest < 0 {
            year -= 1;
            rest += length(year);
        }
        while rest >= length(year) {
            rest -= length(year);
            year += 1;
        }
        let (day_of_year, mut month) = (rest, 0);
        while rest >= days_of_months(year)[month] {
            rest -= days_of_months(year)[month];
            month += 1;
        }
        Self { year, month, day: rest, day_of_year, days, second_of_day }
    }

    pub(super) fn part(&self, function: &str) -> f64 {
        let part = match function {
            "year" => self.year,
            "month" => self.month as i64 + 1,
            "day_of_month" => self.day + 1,
            "day_of_year" => self.day_of_year + 1,
            // The first day was a Thursday.
            "day_of_week" => (self.days + 4).rem_euclid(7),
            "days_in_month" => days_of_months(self.year)[self.month],
            "hour" => self.second_of_day / 3600,
            "minute" => self.second_of_day / 60 % 60,
            other => unreachable!("not of a date: {other}"),
        };
        part as f64
    }
}
