-- Shared pieces of what is read of Snowflake's views.

-- A Snowflake account by its locator, and its region without the region's group, in one spelling; '' where a view has neither.
CREATE OR REPLACE MACRO folded(x) AS coalesce(upper(trim(x)), '');
CREATE OR REPLACE MACRO region_name(x) AS coalesce(regexp_extract(upper(trim(x)), '[^.]*$'), '');

-- The day, in UTC, of a date or a moment; whether it is one of the month that is mapped.
CREATE OR REPLACE MACRO day_of(x) AS coalesce(date_of(x), CAST(instant_of(x) AS DATE));
CREATE OR REPLACE MACRO in_month(x) AS x >= CAST(getvariable('period_start') AS DATE) AND x < CAST(getvariable('period_end') AS DATE);

-- Bytes, of which an average may have a part.
CREATE OR REPLACE MACRO bytes_of(x) AS coalesce(CAST(round(CAST(x AS DECIMAL(38, 6))) AS DECIMAL(38, 0)), 0);
