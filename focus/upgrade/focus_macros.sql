-- Shared pieces of the upgrades of FOCUS exports. Variables are set by ingest.words.

-- Text as it is; a map or a struct as JSON text.
CREATE OR REPLACE MACRO json_text(x) AS
    CASE WHEN regexp_matches(typeof(x), '^(MAP|STRUCT)\(|\]$') THEN CAST(to_json(x) AS VARCHAR) ELSE CAST(x AS VARCHAR) END;

-- An ISO 8601 date-time; one without a zone is in UTC. Some tools put a blank before the zone.
CREATE OR REPLACE MACRO zoned(x) AS regexp_replace(regexp_replace(trim(x), ' *Z$', '+00'), ' *([+-]\d\d):?(\d\d)$', '\1:\2');
CREATE OR REPLACE MACRO instant_of(x) AS
    CASE
        WHEN regexp_full_match(x, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?') THEN utc(TRY_CAST(rtrim(x, 'Z') AS TIMESTAMP))
        WHEN regexp_matches(x, '^ *\d{4}-\d\d-\d\d') THEN TRY_CAST(zoned(x) AS TIMESTAMPTZ)
    END;

-- The same as a plain time in UTC, which is what Parquet files of bills hold.
CREATE OR REPLACE MACRO moment_of(x) AS make_timestamp(epoch_us(instant_of(x)));

-- A company by its own name, whatever the bill calls it; an invoice's issuer, whose legal name stays; the cloud it belongs to.
CREATE OR REPLACE MACRO entity(x) AS coalesce(getvariable('entities')[lower(trim(x))], trim(x));
CREATE OR REPLACE MACRO issuer(x) AS coalesce(getvariable('issuers')[lower(trim(x))], trim(x));
CREATE OR REPLACE MACRO cloud(x) AS nullif(getvariable('clouds')[lower(trim(x))], '');

CREATE OR REPLACE MACRO service_category(x) AS getvariable('service_categories')[lower(trim(x))];

-- Tags as a flat JSON object: braces are added where they lack, none are null, and what is no JSON is kept whole under one key.
CREATE OR REPLACE MACRO tags_json(x) AS
    CASE
        WHEN x IS NULL OR trim(x) IN ('{}', 'null') THEN NULL
        WHEN starts_with(ltrim(x), '{') AND json_valid(x) THEN CAST(json(x) AS VARCHAR)
        WHEN json_valid('{' || rtrim(trim(x), ',') || '}') THEN CAST(json('{' || rtrim(trim(x), ',') || '}') AS VARCHAR)
        ELSE CAST(json_object('x_UnreadableTags', x) AS VARCHAR)
    END;

-- Is this JSON number text? Anything else stays a text.
CREATE OR REPLACE MACRO is_json_number(x) AS regexp_full_match(x, '-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?');

-- A JSON object as a list of its keys and JSON values.
CREATE OR REPLACE MACRO members(x) AS map_entries(TRY_CAST(CAST(x AS JSON) AS MAP(VARCHAR, JSON)));
CREATE OR REPLACE MACRO member(key, value) AS CAST(to_json(key) AS VARCHAR) || ':' || coalesce(CAST(value AS VARCHAR), 'null');

-- SkuPriceDetails: the specification's own keys in its spelling, numeric ones as numbers, any other with the x_ prefix.
CREATE OR REPLACE MACRO sku_key(k) AS coalesce(getvariable('sku_keys')[lower(k)], CASE WHEN starts_with(k, 'x_') THEN k ELSE 'x_' || k END);
CREATE OR REPLACE MACRO sku_value(k, v) AS
    CASE WHEN getvariable('sku_key_types')[sku_key(k)] = 'Numeric' AND is_json_number(v ->> '$') THEN v ->> '$' ELSE CAST(v AS VARCHAR) END;
CREATE OR REPLACE MACRO sku_details(x) AS
    CASE
        WHEN json_type(x) = 'OBJECT' AND trim(x) <> '{}'
            THEN '{' || array_to_string(list_transform(members(x), lambda m: member(sku_key(m.key), sku_value(m.key, m.value))), ',') || '}'
    END;

-- One element of ContractApplied with all five keys; an erratum of the specification spells two of them with ID.
CREATE OR REPLACE MACRO contract_element(e) AS
    '{"ContractId":' || coalesce(e -> '$.ContractId', e -> '$.ContractID', 'null')
    || ',"ContractCommitmentId":' || coalesce(e -> '$.ContractCommitmentId', e -> '$.ContractCommitmentID', 'null')
    || ',"ContractCommitmentAppliedCost":' || coalesce(e -> '$.ContractCommitmentAppliedCost', 'null')
    || ',"ContractCommitmentAppliedQuantity":' || coalesce(e -> '$.ContractCommitmentAppliedQuantity', 'null')
    || ',"ContractCommitmentAppliedUnit":' || coalesce(e -> '$.ContractCommitmentAppliedUnit', 'null')
    || array_to_string(list_transform(list_filter(members(e), lambda m: starts_with(m.key, 'x_')), lambda m: ',' || member(m.key, m.value)), '')
    || '}';

CREATE OR REPLACE MACRO contract_applied(x) AS
    CASE
        WHEN x IS NULL OR trim(x) IN ('{}', '[]', 'null') THEN NULL
        ELSE '{"Elements":[' || array_to_string(
            list_transform(
                CASE json_type(x) WHEN 'ARRAY' THEN json_extract(x, '$[*]') ELSE coalesce(nullif(json_extract(x, '$.Elements[*]'), []), [json(x)]) END,
                lambda e: contract_element(e)
            ), ','
        ) || ']}'
    END;
