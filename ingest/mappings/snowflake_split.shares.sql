-- Who takes which share of an account's day, worked out once for a delivery from the views beside it. A `slot` is what one kind of
-- money of an account and day is split by; `split_shares` has its parts by number, `split_objects` says what the numbers are.
-- Shares are whole numbers of 0.000000000000001, so that they add up to 1 and a part is its share of the origin to the last digit.
CREATE OR REPLACE MACRO split_units() AS CAST(1000000000000000 AS HUGEINT);
CREATE OR REPLACE MACRO split_ratio(units) AS CAST(units AS DECIMAL(16, 0)) * CAST(0.000000000000001 AS DECIMAL(15, 15));

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
CREATE OR REPLACE MACRO split_part_of(whole, short, long, ratio, number) AS CASE
    WHEN ratio IS NULL THEN whole
    WHEN whole IS NULL THEN NULL
    WHEN short IS NOT NULL THEN short * ratio
    ELSE list_filter(long, lambda one: one.part = number)[1].figure
END;
CREATE OR REPLACE MACRO split_is_long(x, short) AS x IS NOT NULL AND short IS NULL;
CREATE OR REPLACE MACRO split_unmetered() AS '{"Elements":[{"AllocatedRatio":1,"x_Part":"unmetered"}]}';

-- Tags without those that the row has itself; none rather than an empty object.
CREATE OR REPLACE MACRO split_tags_beside(allocated, own) AS nullif(
    '{' || array_to_string(list_transform(
        list_filter(members(allocated), lambda m: NOT list_contains(json_keys(own), m.key)), lambda m: member(m.key, m.value)
    ), ',') || '}', '{}');

CREATE OR REPLACE MACRO split_method(kind) AS CASE kind
    WHEN 0 THEN 'snowflake-' || getvariable('allocation') || '-compute-credits-1'
    WHEN 1 THEN 'snowflake-warehouse-cloud-services-credits-1'
    WHEN 2 THEN 'snowflake-database-bytes-1'
END;
-- The shortest text of a ratio, and of credits, by their digits: a decimal of so many digits takes the engine longer to write.
CREATE OR REPLACE MACRO split_ratio_text(units) AS
    CASE WHEN units = 1000000000000000 THEN '1' ELSE '0' || rtrim('.' || substr(CAST(1000000000000000 + units AS VARCHAR), 2), '.0') END;
CREATE OR REPLACE MACRO split_details(kind, units, weight, mark) AS
    '{"Elements":[{"AllocatedRatio":' || split_ratio_text(units)
    || CASE kind WHEN 2 THEN ',"UsageUnit":"B","UsageQuantity":' || weight ELSE ',"UsageUnit":"Credits","UsageQuantity":' || split_credits(weight) END
    || CASE WHEN mark IN ('idle', 'residual') THEN ',"x_Part":"' || mark || '"}]}' ELSE '}]}' END;

CREATE OR REPLACE TEMP TYPE split_methods AS ENUM (SELECT DISTINCT split_method(unnest([0, 1, 2])));

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
CREATE OR REPLACE MACRO split_credits_text(weight) AS
    (weight // 1000000000) || rtrim('.' || substr(CAST(1000000000 + weight % 1000000000 AS VARCHAR), 2), '.0');
CREATE OR REPLACE MACRO split_credits(weight) AS
    CASE WHEN weight < 1000000000000000000 THEN split_credits_text(TRY_CAST(weight AS BIGINT)) ELSE split_credits_text(weight) END;

-- The units of each bin among its parts by their weights: whole ones, and what is left to the largest remainders.
CREATE OR REPLACE MACRO apportioned(weights) AS TABLE
    WITH summed AS (
        SELECT *, sum(weight) OVER (PARTITION BY slot, bin) AS total FROM query_table(weights) WHERE weight > 0
    ),
    -- To divide so wide numbers takes the engine long: doubles come near, and what they leave over says by how much.
    neared AS (
        SELECT *, CAST(CAST(weight AS DOUBLE) / CAST(total AS DOUBLE) * CAST(units AS DOUBLE) AS HUGEINT) AS near, weight * units - near * total AS off FROM summed
    ),
    floored AS (
        SELECT
            * EXCLUDE (total, near, off),
            CASE
                WHEN off >= 0 AND off < total THEN near
                WHEN off < 0 AND off + total >= 0 THEN near - 1
                WHEN off >= total AND off - total < total THEN near + 1
                ELSE weight * units // total
            END AS floor_units,
            weight * units - floor_units * total AS remainder
        FROM neared
    ),
    ranked AS (
        SELECT *, units - sum(floor_units) OVER whole AS remaining, row_number() OVER in_line AS turn
        FROM floored
        WINDOW
            in_line AS (PARTITION BY slot, bin ORDER BY remainder DESC, part),
            whole AS (PARTITION BY slot, bin ORDER BY remainder DESC, part ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
    SELECT
        * EXCLUDE (units, floor_units, remainder, remaining, turn),
        floor_units + CASE WHEN turn <= remaining THEN 1 ELSE 0 END AS units
    FROM ranked;

-- What each warehouse and database weighs on its day. Credits for cloud services are never money, only shares of it.
CREATE OR REPLACE TEMP TABLE split_metered AS
    SELECT
        split_place(account, region) AS place, day, warehouse_id AS part, max(warehouse_name) AS name,
        split_weight(sum(credits_compute)) AS compute, split_weight(sum(credits_cloud)) AS cloud
    FROM snowflake_warehouses GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_stored AS
    SELECT
        split_place(account, region) AS place, day, database_id AS part, max(database_name) AS name,
        greatest(CAST(sum(bytes) AS HUGEINT), 0) AS weight
    FROM snowflake_databases GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_account_bytes AS
    WITH whole AS (SELECT split_place(account, region) AS place, day, CAST(sum(bytes) AS HUGEINT) AS bytes FROM snowflake_storage GROUP BY ALL)
    SELECT place, day, coalesce(whole.bytes, 0) AS bytes, coalesce(named.bytes, 0) AS named
    FROM whole FULL JOIN (SELECT place, day, sum(weight) AS bytes FROM split_stored GROUP BY ALL) AS named USING (place, day);
CREATE OR REPLACE TEMP TABLE split_days AS
    SELECT place, day, 3 * CAST(row_number() OVER () AS INTEGER) AS slot
    FROM (SELECT place, day FROM split_metered UNION SELECT place, day FROM split_account_bytes);
CREATE OR REPLACE TEMP TABLE split_weights AS
    SELECT slot, '' AS bin, part, compute AS weight, split_units() AS units FROM split_metered JOIN split_days USING (place, day)
    UNION ALL SELECT slot + 1, '', part, cloud, split_units() FROM split_metered JOIN split_days USING (place, day)
    UNION ALL SELECT slot + 2, '', part, weight, split_units() FROM split_stored JOIN split_days USING (place, day)
    UNION ALL SELECT slot + 2, '', '', bytes - named, split_units() FROM split_account_bytes JOIN split_days USING (place, day);
CREATE OR REPLACE TEMP TABLE split_whole AS FROM apportioned('split_weights');

-- Within a warehouse: by query tag or user, and what no query ran in. Attributed above metered, its queries share all of it.
CREATE OR REPLACE TEMP TABLE split_attributed AS
    SELECT
        split_place(account, region) AS place, day, warehouse_id AS part,
        coalesce(CASE getvariable('allocation') WHEN 'user' THEN user_name ELSE query_tag END, '') AS label,
        split_weight(sum(credits)) AS weight
    FROM snowflake_queries WHERE getvariable('allocation') IN ('query-tag', 'user') GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_queried AS
    SELECT d.slot, a.part, a.label, a.weight FROM split_attributed AS a JOIN split_days AS d USING (place, day) WHERE a.weight > 0;
CREATE OR REPLACE TEMP TABLE split_used AS
    SELECT w.slot, w.part, w.weight, w.units, coalesce(q.weight, 0) AS attributed
    FROM split_whole AS w LEFT JOIN (SELECT slot, part, sum(weight) AS weight FROM split_queried GROUP BY ALL) AS q USING (slot, part)
    WHERE w.slot % 3 = 0 AND getvariable('allocation') IN ('query-tag', 'user');
CREATE OR REPLACE TEMP TABLE split_labelled AS
    SELECT slot, part AS bin, '' AS part, weight - attributed AS weight, units FROM split_used
    UNION ALL
    SELECT q.slot, q.part, '=' || q.label, q.weight, u.units FROM split_queried AS q JOIN split_used AS u USING (slot, part);
-- By part: '' is what is idle of a warehouse or left of a storage, a label begins with =.
CREATE OR REPLACE TEMP TABLE split_parts AS
    WITH part AS (
        SELECT slot, bin AS object, part AS label, weight, units FROM apportioned('split_labelled')
        UNION ALL
        SELECT slot, part, NULL, weight, units FROM split_whole WHERE slot % 3 <> 0 OR getvariable('allocation') NOT IN ('query-tag', 'user')
    )
    SELECT p.*, d.place, CASE p.slot % 3 WHEN 2 THEN 'DATABASE' ELSE 'WAREHOUSE' END AS domain, coalesce(m.name, s.name) AS name
    FROM part AS p
    JOIN split_days AS d ON d.slot = p.slot - p.slot % 3
    LEFT JOIN split_metered AS m ON p.slot % 3 <> 2 AND m.place = d.place AND m.day = d.day AND m.part = p.object
    LEFT JOIN split_stored AS s ON p.slot % 3 = 2 AND s.place = d.place AND s.day = d.day AND s.part = p.object;

-- What a person should know of.
CREATE OR REPLACE TEMP TABLE split_unmetered AS
    SELECT DISTINCT place, day, part FROM split_attributed AS a
    ANTI JOIN (SELECT place, day, part FROM split_metered WHERE compute > 0) AS m USING (place, day, part)
    WHERE weight > 0;

-- What takes a part: names, each of its own days, and tags. Those of a user come before a warehouse's, and the label itself has a key of its own.
CREATE OR REPLACE TEMP TABLE split_objects AS
    WITH told AS (
        SELECT DISTINCT place, domain, object, label, name FROM split_parts
    )
    SELECT
        CAST(row_number() OVER () AS INTEGER) AS number, t.place, t.domain, t.object, t.label, t.name,
        CASE WHEN t.domain = 'DATABASE' AND t.object = '' THEN 'residual' WHEN t.label = '' THEN 'idle' END AS mark,
        CASE WHEN mark IS DISTINCT FROM 'residual' THEN CASE t.domain WHEN 'DATABASE' THEN '.database.' ELSE '.' END || t.object END AS suffix,
        CASE WHEN mark IS DISTINCT FROM 'residual' THEN coalesce(nullif(t.name, ''), t.object) END AS object_name
    FROM told AS t;
CREATE OR REPLACE TEMP TABLE split_tags AS
    WITH known AS (SELECT split_place(account, region) AS place, * EXCLUDE (account, region) FROM snowflake_tags),
    found AS (
        SELECT o.number, k.tag_name, k.tag_value, 3 AS turn
        FROM split_objects AS o JOIN known AS k ON o.place = k.place AND o.domain = k.domain AND o.object = k.object_id
        UNION ALL
        SELECT o.number, k.tag_name, k.tag_value, 2
        FROM split_objects AS o JOIN known AS k ON o.place = k.place AND k.domain = 'USER' AND o.label = '=' || k.object_name
        WHERE getvariable('allocation') = 'user'
        UNION ALL
        SELECT number, CASE getvariable('allocation') WHEN 'user' THEN 'snowflake:user' ELSE 'snowflake:query_tag' END, substr(label, 2), 1
        FROM split_objects WHERE length(label) > 1
    ),
    chosen AS (SELECT number, tag_name, arg_min(coalesce(tag_value, ''), turn) AS value FROM found GROUP BY ALL)
    SELECT number, '{' || string_agg(to_json(tag_name) || ':' || to_json(value), ',' ORDER BY tag_name) || '}' AS object_tags
    FROM chosen GROUP BY ALL;
CREATE OR REPLACE TEMP TABLE split_takers AS
    SELECT number, suffix, object_name, mark, object_tags FROM split_objects LEFT JOIN split_tags USING (number);
CREATE OR REPLACE TEMP TABLE split_shares AS
    SELECT p.slot, o.number, CAST(p.units AS BIGINT) AS units, p.weight
    FROM split_parts AS p
    -- All by which they are joined stands in one table: else the engine may begin with what many places have in common.
    JOIN split_objects AS o ON o.place = p.place AND o.domain = p.domain AND o.object = p.object AND o.label IS NOT DISTINCT FROM p.label
        AND o.name IS NOT DISTINCT FROM p.name;

-- The shares of a slot as one list, for figures of which a share has more digits than a column.
CREATE OR REPLACE TEMP TABLE split_lists AS
    SELECT slot, list({'part': number, 'units': units}) AS parts FROM split_shares GROUP BY ALL;

-- What the rows are not joined to gives its memory back.
DROP TABLE split_metered; DROP TABLE split_stored; DROP TABLE split_weights; DROP TABLE split_whole; DROP TABLE split_attributed;
DROP TABLE split_queried; DROP TABLE split_labelled; DROP TABLE split_parts; DROP TABLE split_objects; DROP TABLE split_tags;
