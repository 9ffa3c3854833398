-- Who takes which share of an account's day: table `split_shares`, worked out once for a delivery from its companions.
-- Shares are whole numbers of 0.000000000000001, so that they add up to 1 and a part is its share of the origin to the last digit.
CREATE OR REPLACE MACRO split_units() AS CAST(1000000000000000 AS HUGEINT);
CREATE OR REPLACE MACRO split_ratio(units) AS CAST(CAST(units AS DECIMAL(16, 0)) * CAST(0.000000000000001 AS DECIMAL(16, 15)) AS DECIMAL(16, 15));
-- A figure with nine decimals or fewer: its product with a share is exact. Most have so few digits that the short way over
-- a double gives them back unchanged, and the engine takes long to cut a wide decimal. NULL for others, and where nothing is split.
CREATE OR REPLACE MACRO split_short(kind, x) AS CASE
    WHEN kind IS NULL OR x IS NULL THEN NULL
    WHEN TRY_CAST(CAST(x AS DOUBLE) AS DECIMAL(18, 6)) = x THEN CAST(TRY_CAST(CAST(x AS DOUBLE) AS DECIMAL(18, 6)) AS DECIMAL(22, 9))
    WHEN TRY_CAST(x AS DECIMAL(22, 9)) = x THEN CAST(x AS DECIMAL(22, 9))
END;

-- Any other in units of its last digit, and back. Parts of it are cut there, and what is left goes to the largest remainders.
CREATE OR REPLACE MACRO split_digits(x) AS CAST(replace(CAST(abs(x) AS VARCHAR), '.', '') AS HUGEINT);
CREATE OR REPLACE MACRO split_figure(digits, sign) AS CAST(
    sign || (digits // CAST(1000000000000000000000000 AS HUGEINT)) || '.' || lpad(CAST(digits % CAST(1000000000000000000000000 AS HUGEINT) AS VARCHAR), 24, '0')
    AS DECIMAL(38, 24));
CREATE OR REPLACE MACRO split_floored(digits, parts) AS list_transform(parts, lambda p: {
    'part': p.part,
    'floor_digits': digits // split_units() * p.units + digits % split_units() * p.units // split_units(),
    'turn': {'lack': split_units() - digits % split_units() * p.units % split_units(), 'part': p.part}
});
CREATE OR REPLACE MACRO split_last(digits, floored) AS
    list_sort(list_transform(floored, lambda f: f.turn))[CAST(digits - list_sum(list_transform(floored, lambda f: f.floor_digits)) AS INTEGER)];
CREATE OR REPLACE MACRO split_rounded(x, digits, floored) AS list_transform(
    [{'found': floored, 'last': split_last(digits, floored)}],
    lambda w: list_transform(w.found, lambda f: {
        'part': f.part,
        'figure': split_figure(f.floor_digits + CASE WHEN f.turn <= w.last THEN 1 ELSE 0 END, CASE WHEN x < 0 THEN '-' ELSE '' END)
    })
)[1];
CREATE OR REPLACE MACRO split_long(x, short, parts) AS CASE
    WHEN parts IS NULL OR x IS NULL OR short IS NOT NULL THEN NULL
    ELSE list_transform([split_digits(x)], lambda digits: list_transform([split_floored(digits, parts)], lambda floored: split_rounded(x, digits, floored))[1])[1]
END;

-- A part of a figure; the figure itself where nothing is split.
CREATE OR REPLACE MACRO split_part_of(whole, short, long, ratio, name) AS CASE
    WHEN ratio IS NULL THEN whole
    WHEN whole IS NULL THEN NULL
    WHEN short IS NOT NULL THEN short * ratio
    ELSE list_filter(long, lambda one: one.part = name)[1].figure
END;
CREATE OR REPLACE MACRO split_is_long(x, short) AS x IS NOT NULL AND short IS NULL;
CREATE OR REPLACE MACRO split_applied() AS '^(.*"ContractCommitmentAppliedCost":)(-?[0-9.]+)(.*)$';
CREATE OR REPLACE MACRO split_unmetered() AS '{"Elements":[{"AllocatedRatio":1,"x_Part":"unmetered"}]}';

-- Tags without those that the row has itself; none rather than an empty object.
CREATE OR REPLACE MACRO split_tags_beside(allocated, own) AS nullif(
    '{' || array_to_string(list_transform(
        list_filter(members(allocated), lambda m: NOT list_contains(json_keys(own), m.key)), lambda m: member(m.key, m.value)
    ), ',') || '}', '{}');

CREATE OR REPLACE MACRO split_place(account, region) AS account || '.' || region;
-- What a row of the bill is money for; accounts of readers are metered elsewhere.
CREATE OR REPLACE MACRO split_kind_of(service, category, usage_type, is_adjustment) AS CASE
    WHEN category <> 'Usage' OR usage_type ILIKE '%reader%' THEN NULL
    WHEN service IN ('CLOUD_SERVICES', 'ADJ_FOR_INCL_CLOUD_SERVICES') THEN 'cloud'
    WHEN service IN ('WAREHOUSE_METERING', 'COMPUTE')
        THEN CASE WHEN usage_type ILIKE '%cloud services%' OR is_adjustment ILIKE 'true' THEN 'cloud' ELSE 'compute' END
    WHEN service = 'STORAGE' THEN 'storage'
END;
CREATE OR REPLACE MACRO split_method(kind) AS CASE
    WHEN kind = 'cloud' THEN 'snowflake-warehouse-cloud-services-credits-1'
    WHEN kind = 'storage' THEN 'snowflake-database-bytes-1'
    ELSE 'snowflake-' || coalesce(nullif(getvariable('allocation'), ''), 'warehouse') || '-compute-credits-1'
END;

-- Credits in billionths, as the views have them; less than none is none. Most have so few digits that the short way over a
-- double gives them back unchanged, and the engine takes long to cut a wide decimal.
CREATE OR REPLACE MACRO split_billionths(credits) AS TRY_CAST(CAST(credits AS DOUBLE) * 1000000000 AS BIGINT);
CREATE OR REPLACE MACRO split_weight(credits) AS greatest(
    CASE
        WHEN credits < 100000 AND CAST(split_billionths(credits) AS DECIMAL(18, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)) = credits
            THEN CAST(split_billionths(credits) AS HUGEINT)
        WHEN credits IS NULL THEN 0
        ELSE CAST(CAST(credits AS DECIMAL(28, 9)) * CAST(1000000000 AS DECIMAL(10, 0)) AS HUGEINT)
    END, 0);
CREATE OR REPLACE MACRO split_credits(weight) AS shortest(CAST(CAST(weight AS DECIMAL(28, 0)) * CAST(0.000000001 AS DECIMAL(9, 9)) AS DECIMAL(38, 9)));

-- The units of each bin among its parts by their weights: whole ones, and what is left to the largest remainders.
CREATE OR REPLACE MACRO apportioned(weights) AS TABLE
    WITH summed AS (
        SELECT *, sum(weight) OVER (PARTITION BY place, day, kind, bin) AS total FROM query_table(weights) WHERE weight > 0
    ),
    floored AS (
        SELECT * EXCLUDE (total), weight * units // total AS floor_units, weight * units % total AS remainder FROM summed
    ),
    ranked AS (
        SELECT *, units - sum(floor_units) OVER whole AS remaining, row_number() OVER in_line AS turn
        FROM floored
        WINDOW
            in_line AS (PARTITION BY place, day, kind, bin ORDER BY remainder DESC, part),
            whole AS (
                PARTITION BY place, day, kind, bin ORDER BY remainder DESC, part ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            )
    )
    SELECT
        * EXCLUDE (units, floor_units, remainder, remaining, turn),
        floor_units + CASE WHEN turn <= remaining THEN 1 ELSE 0 END AS units
    FROM ranked;

-- What each warehouse and database weighs on its day. Credits for cloud services are never money, only shares of it.
CREATE OR REPLACE TEMP TABLE split_metered AS
    SELECT
        split_place(account, region) AS place, day, warehouse_id, max(warehouse_name) AS name,
        split_weight(sum(credits_compute)) AS compute, split_weight(sum(credits_cloud)) AS cloud
    FROM snowflake_warehouses GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_stored AS
    SELECT
        split_place(account, region) AS place, day, database_id, max(database_name) AS name,
        greatest(CAST(sum(bytes) AS HUGEINT), 0) AS bytes
    FROM snowflake_databases GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_account_bytes AS
    WITH whole AS (SELECT split_place(account, region) AS place, day, CAST(sum(bytes) AS HUGEINT) AS bytes FROM snowflake_storage GROUP BY ALL)
    SELECT place, day, whole.bytes, coalesce(named.bytes, 0) AS named
    FROM whole LEFT JOIN (SELECT place, day, sum(bytes) AS bytes FROM split_stored GROUP BY ALL) AS named USING (place, day);
CREATE OR REPLACE TEMP TABLE split_weights AS
    SELECT place, day, 'compute' AS kind, '' AS bin, warehouse_id AS part, name, '' AS mark, compute AS weight, split_units() AS units FROM split_metered
    UNION ALL SELECT place, day, 'cloud', '', warehouse_id, name, '', cloud, split_units() FROM split_metered
    UNION ALL SELECT place, day, 'storage', '', database_id, name, '', bytes, split_units() FROM split_stored
    UNION ALL SELECT place, day, 'storage', '', '', NULL, 'residual', bytes - named, split_units() FROM split_account_bytes;
CREATE OR REPLACE TEMP TABLE split_objects AS FROM apportioned('split_weights');

-- Within a warehouse: by query tag or user, and what no query ran in. Attributed above metered, its queries share all of it.
CREATE OR REPLACE TEMP TABLE split_attributed AS
    SELECT
        split_place(account, region) AS place, day, warehouse_id,
        CASE getvariable('allocation') WHEN 'user' THEN user_name ELSE query_tag END AS label,
        split_weight(sum(credits)) AS weight
    FROM snowflake_queries WHERE getvariable('allocation') IN ('query-tag', 'user') GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_labelled AS
    WITH attributed AS (SELECT place, day, warehouse_id, sum(weight) AS weight FROM split_attributed GROUP BY ALL)
    SELECT w.place, w.day, w.kind, w.part AS bin, w.name, w.units, 'query' AS mark, '1' || coalesce(a.label, '') AS part, coalesce(a.label, '') AS label, a.weight
    FROM split_objects AS w
    JOIN split_attributed AS a ON w.place = a.place AND w.day = a.day AND w.part = a.warehouse_id
    WHERE w.kind = 'compute'
    UNION ALL
    SELECT w.place, w.day, w.kind, w.part, w.name, w.units, 'idle', '0', '', w.weight - coalesce(a.weight, 0)
    FROM split_objects AS w
    LEFT JOIN attributed AS a ON w.place = a.place AND w.day = a.day AND w.part = a.warehouse_id
    WHERE w.kind = 'compute' AND getvariable('allocation') IN ('query-tag', 'user');
CREATE OR REPLACE TEMP TABLE split_parts AS
    SELECT place, day, kind, bin AS object, name, mark, label, weight, units FROM apportioned('split_labelled')
    UNION ALL
    SELECT place, day, kind, part, name, mark, '', weight, units FROM split_objects
    WHERE kind <> 'compute' OR getvariable('allocation') NOT IN ('query-tag', 'user');

-- What a person should know of.
CREATE OR REPLACE TEMP TABLE split_overdrawn AS
    SELECT w.place, w.day, w.part FROM split_objects AS w
    JOIN (SELECT place, day, warehouse_id, sum(weight) AS weight FROM split_attributed GROUP BY ALL) AS a
        ON w.place = a.place AND w.day = a.day AND w.part = a.warehouse_id
    WHERE w.kind = 'compute' AND a.weight > w.weight;
CREATE OR REPLACE TEMP TABLE split_unmetered AS
    SELECT DISTINCT a.place, a.day, a.warehouse_id FROM split_attributed AS a
    ANTI JOIN (FROM split_objects WHERE kind = 'compute') AS w ON w.place = a.place AND w.day = a.day AND w.part = a.warehouse_id
    WHERE a.weight > 0;
CREATE OR REPLACE TEMP TABLE split_overstored AS
    SELECT place, day FROM (SELECT place, day, sum(bytes) AS bytes FROM split_stored GROUP BY ALL) AS d
    LEFT JOIN split_account_bytes AS a USING (place, day)
    WHERE d.bytes > coalesce(a.bytes, 0);

-- Tags of warehouse and database; those of the user come before them, and the label itself under a key of its own.
CREATE OR REPLACE TEMP TABLE split_tags AS
    WITH known AS (SELECT split_place(account, region) AS place, * EXCLUDE (account, region) FROM snowflake_tags),
    object AS (
        SELECT DISTINCT place, CASE kind WHEN 'storage' THEN 'DATABASE' ELSE 'WAREHOUSE' END AS domain, object, label FROM split_parts
    ),
    found AS (
        SELECT o.*, k.tag_name, k.tag_value, 3 AS turn
        FROM object AS o JOIN known AS k ON o.place = k.place AND o.domain = k.domain AND o.object = k.object_id
        UNION ALL
        SELECT o.*, k.tag_name, k.tag_value, 2
        FROM object AS o JOIN known AS k ON o.place = k.place AND k.domain = 'USER' AND o.label = k.object_name
        WHERE o.label <> '' AND getvariable('allocation') = 'user'
        UNION ALL
        SELECT *, CASE getvariable('allocation') WHEN 'user' THEN 'snowflake:user' ELSE 'snowflake:query_tag' END, label, 1
        FROM object WHERE label <> ''
    ),
    chosen AS (SELECT place, domain, object, label, tag_name, arg_min(tag_value, turn) AS value FROM found GROUP BY ALL)
    SELECT
        place, domain, object, label,
        '{' || string_agg(to_json(tag_name) || ':' || to_json(coalesce(value, '')), ',' ORDER BY tag_name) || '}' AS tags
    FROM chosen GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE split_shares AS
    SELECT
        p.place, p.day, p.kind,
        CASE mark WHEN 'query' THEN p.object || chr(31) || p.label ELSE p.object END AS part,
        units,
        split_ratio(units) AS ratio,
        CASE WHEN p.mark <> 'residual' THEN CASE kind WHEN 'storage' THEN '.database.' ELSE '.' END || p.object END AS object_suffix,
        CASE WHEN p.mark <> 'residual' THEN coalesce(nullif(p.name, ''), p.object) END AS object_name,
        t.tags AS object_tags,
        split_method(kind) AS method,
        '{"Elements":[{"AllocatedRatio":' || shortest(split_ratio(units))
        || CASE kind WHEN 'storage' THEN ',"UsageUnit":"B","UsageQuantity":' || weight ELSE ',"UsageUnit":"Credits","UsageQuantity":' || split_credits(weight) END
        || CASE WHEN p.mark IN ('idle', 'residual') THEN ',"x_Part":"' || p.mark || '"' ELSE '' END || '}]}' AS details
    FROM split_parts AS p
    LEFT JOIN split_tags AS t
        ON p.place = t.place AND p.object = t.object AND p.label = t.label
        AND t.domain = CASE kind WHEN 'storage' THEN 'DATABASE' ELSE 'WAREHOUSE' END;

-- The shares of an account's day as one list, for figures of which a share has more digits than a column.
CREATE OR REPLACE TEMP TABLE split_lists AS
    SELECT place, day, kind, list({'part': part, 'units': units}) AS parts FROM split_shares GROUP BY ALL;
