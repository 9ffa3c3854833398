-- Shared pieces of what is read of Snowflake's views.

-- A text of what stands beside a bill; NULL where it stands for null.
CREATE OR REPLACE MACRO told(x) AS CASE WHEN lower(trim(x)) NOT IN ('', 'null', '\n') THEN x END;

-- A Snowflake account by its locator, and its region without the region's group, in one spelling; '' where a view has neither.
CREATE OR REPLACE MACRO folded(x) AS coalesce(upper(trim(x)), '');
CREATE OR REPLACE MACRO region_name(x) AS coalesce(regexp_extract(upper(trim(x)), '[^.]*$'), '');

-- The day, in UTC, of a date or a moment; whether it is one of the month that is mapped.
-- A moment of Parquet, as the engine writes it, is cast at once.
CREATE OR REPLACE MACRO plain_moment(x) AS CASE WHEN x LIKE '____-__-__ __:__:__+00' AND x >= '0' AND x < ':' THEN TRY_CAST(x AS TIMESTAMPTZ) END;
CREATE OR REPLACE MACRO day_of(x) AS coalesce(CAST(plain_moment(x) AS DATE), date_of(x), CAST(instant_of(x) AS DATE));
CREATE OR REPLACE MACRO in_month(x) AS x >= CAST(getvariable('period_start') AS DATE) AND x < CAST(getvariable('period_end') AS DATE);

-- Bytes, of which an average may have a part.
CREATE OR REPLACE MACRO bytes_of(x) AS coalesce(CAST(round(CAST(x AS DECIMAL(38, 6))) AS DECIMAL(38, 0)), 0);

-- What a line is for. Values are upper case in live accounts and lower case in the manual; older exports have the label
-- USAGE_TYPE alone. The label says in front who used it and whether capacity was used up: 'reader compute', 'overage-storage'.
CREATE OR REPLACE MACRO kind_name(x) AS upper(replace(coalesce(blank_to_null(x), ''), ' ', '_'));
CREATE OR REPLACE MACRO service_named(service_type, usage_type) AS upper(replace(
    coalesce(blank_to_null(service_type), blank_to_null(regexp_replace(usage_type, '^(overage-|reader )+', '', 'i')), 'UNKNOWN'), ' ', '_'));
CREATE OR REPLACE MACRO billing_kind(billing_type, usage_type) AS lower(replace(
    coalesce(blank_to_null(billing_type), CASE WHEN usage_type ILIKE '%rebate%' THEN 'rebate' ELSE 'consumption' END), ' ', '_'));
CREATE OR REPLACE MACRO is_reader(usage_type) AS coalesce(contains(upper(left(usage_type, 16)), 'READER '), false);
CREATE OR REPLACE MACRO is_overage(usage_type) AS coalesce(contains(upper(left(usage_type, 16)), 'OVERAGE-'), false);
CREATE OR REPLACE MACRO is_adjusted(is_adjustment, usage_type) AS
    coalesce(TRY_CAST(trim(is_adjustment) AS BOOLEAN), usage_type ILIKE '%adj for incl%', false);

-- The cloud that an account runs on, by its region: AWS_US_GOV_WEST_1, PUBLIC.AZURE_WESTEUROPE, or as locators spell it: us-gov-west-1.fhplus.aws.
CREATE OR REPLACE MACRO cloud_named(word) AS CASE word WHEN 'AWS' THEN 'AWS' WHEN 'AZURE' THEN 'Microsoft' WHEN 'GCP' THEN 'Google' END;
CREATE OR REPLACE MACRO host_of(region) AS coalesce(
    cloud_named(regexp_extract(upper(region), '^[^_]*')),
    cloud_named(regexp_extract(upper(region), '(?:^|[^A-Z0-9])(AWS|AZURE|GCP)(?:[^A-Z0-9]|$)', 1))
);

-- What a quantity counts, by its rating type; where that is blank, by its label. A TB has 1024^4 bytes.
CREATE OR REPLACE MACRO snowflake_unit(rating_type, usage_type) AS CASE
    WHEN kind_name(rating_type) IN ('COMPUTE', 'AI_COMPUTE', 'AI_INFERENCE') THEN 'Credits'
    WHEN kind_name(rating_type) IN ('STORAGE', 'DATA_TRANSFER') THEN 'TB'
    WHEN kind_name(rating_type) <> '' THEN 'Units'
    WHEN regexp_matches(usage_type, '(?i)storage|transfer') THEN 'TB'
    ELSE 'Credits'
END;

-- By what a row of the bill is split, where the source asks for it.
CREATE OR REPLACE MACRO split_place(account, region) AS account || '.' || region;
-- What a row of the bill is money for; accounts of readers are metered elsewhere.
CREATE OR REPLACE MACRO split_kind_of(service, category, usage_type, is_adjustment) AS CASE
    WHEN category <> 'Usage' THEN NULL
    WHEN service IN ('WAREHOUSE_METERING', 'COMPUTE', 'CLOUD_SERVICES', 'ADJ_FOR_INCL_CLOUD_SERVICES') THEN CASE
        WHEN usage_type ILIKE '%reader%' THEN NULL
        WHEN service IN ('CLOUD_SERVICES', 'ADJ_FOR_INCL_CLOUD_SERVICES') OR usage_type ILIKE '%cloud services%' OR is_adjustment ILIKE 'true' THEN 1
        ELSE 0
    END
    WHEN service = 'STORAGE' AND usage_type NOT ILIKE '%reader%' THEN 2
END;
