//! The formats that have names.

/// A name's pattern. `~` is a fraction with its point, `^` an offset.
pub(super) fn named(name: &str) -> Option<(&'static str, &'static str)> {
    // What is read, what is written.
    let both = |p: &'static str| Some((p, p));
    match name {
        "strict_date_optional_time" | "strict_date_optional_time_nanos" => {
            Some(("uuuu[-MM[-dd['T'[HH[:mm[:ss[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^"))
        }
        "date_optional_time" | "dateOptionalTime" => {
            Some(("u[-M[-d['T'[H[:m[:s[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^"))
        }
        "iso8601" => Some(("uuuu[-MM[-dd['T'[HH[:mm[:ss[~]]]][^]]]]", "uuuu-MM-dd'T'HH:mm:ss~^")),
        "strict_date_time" => both("uuuu-MM-dd'T'HH:mm:ss~^"),
        "date_time" => Some(("u-M-d'T'H:m:s~^", "uuuu-MM-dd'T'HH:mm:ss~^")),
        "strict_date_time_no_millis" => both("uuuu-MM-dd'T'HH:mm:ss^"),
        "date_time_no_millis" => Some(("u-M-d'T'H:m:s^", "uuuu-MM-dd'T'HH:mm:ss^")),
        "strict_date" | "strict_year_month_day" => both("uuuu-MM-dd"),
        "date" | "year_month_day" => Some(("u-M-d", "uuuu-MM-dd")),
        "strict_date_hour" => both("uuuu-MM-dd'T'HH"),
        "date_hour" => Some(("u-M-d'T'H", "uuuu-MM-dd'T'HH")),
        "strict_date_hour_minute" => both("uuuu-MM-dd'T'HH:mm"),
        "date_hour_minute" => Some(("u-M-d'T'H:m", "uuuu-MM-dd'T'HH:mm")),
        "strict_date_hour_minute_second" => both("uuuu-MM-dd'T'HH:mm:ss"),
        "date_hour_minute_second" => Some(("u-M-d'T'H:m:s", "uuuu-MM-dd'T'HH:mm:ss")),
        "strict_date_hour_minute_second_millis" | "strict_date_hour_minute_second_fraction" => {
            both("uuuu-MM-dd'T'HH:mm:ss~")
        }
        "date_hour_minute_second_millis" | "date_hour_minute_second_fraction" => {
            Some(("u-M-d'T'H:m:s~", "uuuu-MM-dd'T'HH:mm:ss~"))
        }
        "strict_year" => both("uuuu"),
        "year" => Some(("u", "uuuu")),
        "strict_year_month" => both("uuuu-MM"),
        "year_month" => Some(("u-M", "uuuu-MM")),
        "basic_date" => both("uuuuMMdd"),
        "basic_date_time" => both("uuuuMMdd'T'HHmmss.SSSXX"),
        "basic_date_time_no_millis" => both("uuuuMMdd'T'HHmmssXX"),
        "basic_ordinal_date" => both("uuuuDDD"),
        "basic_time" => both("HHmmss.SSSXX"),
        "basic_time_no_millis" => both("HHmmssXX"),
        "strict_ordinal_date" => both("uuuu-DDD"),
        "ordinal_date" => Some(("u-D", "uuuu-DDD")),
        "strict_hour" => both("HH"),
        "hour" => Some(("H", "HH")),
        "strict_hour_minute" => both("HH:mm"),
        "hour_minute" => Some(("H:m", "HH:mm")),
        "strict_hour_minute_second" => both("HH:mm:ss"),
        "hour_minute_second" => Some(("H:m:s", "HH:mm:ss")),
        "strict_hour_minute_second_millis" | "strict_hour_minute_second_fraction" => both("HH:mm:ss~"),
        "hour_minute_second_millis" | "hour_minute_second_fraction" => Some(("H:m:s~", "HH:mm:ss~")),
        "strict_time" => both("HH:mm:ss~^"),
        "time" => Some(("H:m:s~^", "HH:mm:ss~^")),
        "strict_time_no_millis" => both("HH:mm:ss^"),
        "time_no_millis" => Some(("H:m:s^", "HH:mm:ss^")),
        "strict_week_date" => both("YYYY-'W'ww-e"),
        "week_date" => Some(("Y-'W'w-e", "YYYY-'W'ww-e")),
        "strict_weekyear" => both("YYYY"),
        "weekyear" => Some(("Y", "YYYY")),
        "strict_weekyear_week" => both("YYYY-'W'ww"),
        "weekyear_week" => Some(("Y-'W'w", "YYYY-'W'ww")),
        _ => None,
    }
}
