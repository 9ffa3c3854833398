-- Shared pieces of the mappings. Money goes through its decimal text: a direct cast from DOUBLE is wrong in 0.5 % of rows.
CREATE OR REPLACE MACRO blank_to_null(x) AS nullif(trim(CAST(x AS VARCHAR)), '');

-- A number with its point moved: all digits, and how many of them stand before the point.
CREATE OR REPLACE MACRO pointed(digits, place) AS
    CASE
        WHEN place <= 0 THEN '0.' || repeat('0', -place) || digits
        WHEN place >= length(digits) THEN digits || repeat('0', place - length(digits))
        ELSE left(digits, place) || '.' || substr(digits, place + 1)
    END;

-- A scientific number written out in full, any other as it is.
CREATE OR REPLACE MACRO written_out(x) AS
    CASE
        WHEN contains(lower(x), 'e') THEN regexp_extract(x, '^-') || pointed(
            regexp_replace(split_part(lower(x), 'e', 1), '[+.-]', '', 'g'),
            length(regexp_extract(x, '^[+-]?(\d*)', 1)) + TRY_CAST(split_part(lower(x), 'e', 2) AS SMALLINT)
        )
        ELSE x
    END;

-- Decimal text to DECIMAL(38,24), half-even: the engine's own cast rounds a tie away from zero, so an even digit before a tie is cut instead.
CREATE OR REPLACE MACRO half_even(x) AS
    CASE
        WHEN length(x) > 26 AND regexp_matches(x, '\.\d{23}[02468]50*$')
            THEN CAST(regexp_replace(x, '50*$', '') AS DECIMAL(38, 24))
        ELSE CAST(x AS DECIMAL(38, 24))
    END;

-- Most numbers are short and have no exponent: the engine's own cast is right for them.
CREATE OR REPLACE MACRO money(x) AS
    CASE
        WHEN length(CAST(x AS VARCHAR)) <= 26 AND CAST(x AS VARCHAR) BETWEEN '-' AND ':'
            AND NOT contains(CAST(x AS VARCHAR), 'e') AND NOT contains(CAST(x AS VARCHAR), 'E')
            THEN CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 24))
        WHEN contains(lower(CAST(x AS VARCHAR)), 'e')
            -- Lambdas only to name a value: a macro would write the whole expression out wherever it is used.
            THEN list_transform(
                list_transform([trim(CAST(x AS VARCHAR))], lambda number: written_out(number)), lambda plain: half_even(plain)
            )[1]
        ELSE half_even(blank_to_null(x))
    END;

-- The same for DOUBLE, by the short way where it is provably the same: below 100,000 doubles lie closer together than
-- ten-digit decimals, so a ten-digit decimal that casts back to the very same double is the one its text shows.
-- Only below 0.0000001 can a double's text have more than 24 fraction digits.
CREATE OR REPLACE MACRO exact(x) AS
    CASE
        WHEN abs(x) < 100000 AND CAST(TRY_CAST(x AS DECIMAL(18, 10)) AS DOUBLE) = x
            THEN CAST(TRY_CAST(x AS DECIMAL(18, 10)) AS DECIMAL(38, 24))
        WHEN abs(x) < 0.0000001 THEN money(x)
        ELSE CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 24))
    END;

-- A unit price as text: the providers write these plainly, so the ordinary cast serves.
CREATE OR REPLACE MACRO rate(x) AS CAST(nullif(x, '') AS DECIMAL(38, 24));

-- Text as a decimal with nine, twelve or fifteen decimals and nineteen digits. The engine takes fifty times as long to round
-- to nineteen digits as to eighteen, with the same result, so the wider cast is only for what needs it.
CREATE OR REPLACE MACRO nine_decimals(x) AS coalesce(TRY_CAST(x AS DECIMAL(18, 9)), TRY_CAST(x AS DECIMAL(19, 9)));
CREATE OR REPLACE MACRO twelve_decimals(x) AS coalesce(TRY_CAST(x AS DECIMAL(18, 12)), TRY_CAST(x AS DECIMAL(19, 12)));

-- Does the text keep all its digits with nine decimals?
CREATE OR REPLACE MACRO is_short(x) AS nine_decimals(x) = TRY_CAST(x AS DECIMAL(38, 24));

CREATE OR REPLACE MACRO fifteen_decimals(x) AS coalesce(
    TRY_CAST(x AS DECIMAL(18, 15)),
    CASE WHEN is_short(x) THEN TRY_CAST(nine_decimals(x) AS DECIMAL(19, 15)) ELSE TRY_CAST(x AS DECIMAL(19, 15)) END
);

-- A factor of 10,000,000 and more: a prepayment in rupiah, or bytes one by one. The other one keeps 18 decimals below 1, else nine.
CREATE OR REPLACE MACRO large_product(large, other) AS coalesce(
    TRY_CAST(large AS DECIMAL(20, 6)) * TRY_CAST(other AS DECIMAL(18, 18)),
    TRY_CAST(TRY_CAST(large AS DECIMAL(20, 6)) * TRY_CAST(other AS DECIMAL(18, 9)) AS DECIMAL(38, 24))
);

-- A unit price times a quantity, both plain text. Factors are cast so that 19 + 19 digits always fit; the wider scale goes to
-- whichever factor needs it. Rounded first are only factors with more than 15 decimals, or with more than 24 between the two.
CREATE OR REPLACE MACRO plain_product(price, quantity) AS coalesce(
    CASE WHEN is_short(quantity) THEN fifteen_decimals(price) * nine_decimals(quantity) END,
    CASE WHEN is_short(price) THEN nine_decimals(price) * fifteen_decimals(quantity) END,
    twelve_decimals(price) * twelve_decimals(quantity),
    fifteen_decimals(price) * nine_decimals(quantity),
    nine_decimals(price) * fifteen_decimals(quantity),
    large_product(price, quantity),
    large_product(quantity, price)
);

-- A number as plain text. Decimals go through their text too, which the engine rounds faster than the number.
CREATE OR REPLACE MACRO plain_text(x) AS
    CASE
        WHEN typeof(x) = 'VARCHAR' AND CAST(x AS VARCHAR) ILIKE '%e%'
            THEN list_transform([trim(CAST(x AS VARCHAR))], lambda number: written_out(number))[1]
        ELSE CAST(x AS VARCHAR)
    END;

-- A unit price times a quantity, each text or a decimal; NULL where no way of casting holds both.
CREATE OR REPLACE MACRO product(price, quantity) AS
    CASE
        WHEN typeof(price) = 'VARCHAR' AND typeof(quantity) = 'VARCHAR'
            AND NOT (CAST(price AS VARCHAR) ILIKE '%e%' OR CAST(quantity AS VARCHAR) ILIKE '%e%')
            THEN plain_product(CAST(price AS VARCHAR), CAST(quantity AS VARCHAR))
        -- Lambdas only to name a value, as above.
        ELSE list_transform(
            [plain_text(price)], lambda p: list_transform([plain_text(quantity)], lambda q: plain_product(p, q))[1]
        )[1]
    END;

-- A cost in one currency by the rate from another. The engine divides decimals as doubles: what the first sixteen digits leave
-- over is divided again.
CREATE OR REPLACE MACRO by_rate(cost, rate) AS list_transform(
    [TRY_CAST(CAST(cost AS DOUBLE) / CAST(rate AS DOUBLE) AS DECIMAL(19, 9))],
    lambda rough: rough + TRY_CAST(CAST(cost - product(rough, rate) AS DOUBLE) / CAST(rate AS DOUBLE) AS DECIMAL(38, 24))
)[1];

-- Does the product of two decimals keep all its digits?
CREATE OR REPLACE MACRO is_exact(price, quantity) AS coalesce(
    twelve_decimals(CAST(price AS VARCHAR)) = price AND twelve_decimals(CAST(quantity AS VARCHAR)) = quantity AND product(price, quantity) IS NOT NULL, false
);

-- A wall-clock time without zone that the provider states in UTC; by its microseconds, because the zone functions are slow.
CREATE OR REPLACE MACRO utc(x) AS make_timestamptz(epoch_us(CAST(x AS TIMESTAMP)));

-- A date as providers write it; NULL when it is none of the three. A plain day is cast: to try one form after the other
-- takes five times as long.
CREATE OR REPLACE MACRO plain_day(x) AS CASE WHEN x LIKE '____-__-__' AND x >= '0' AND x < ':' THEN TRY_CAST(x AS DATE) END;
CREATE OR REPLACE MACRO date_of(x) AS coalesce(plain_day(trim(x)), CAST(coalesce(
    try_strptime(trim(x), '%m/%d/%Y'), try_strptime(trim(x), '%Y-%m-%d'),
    try_strptime(trim(x), '%Y-%m-%dT%H:%M:%SZ'), try_strptime(trim(x), '%Y-%m-%d %H:%M:%S')
) AS DATE));

-- The same, of a column that has the first day of the calendar where nothing is known yet.
CREATE OR REPLACE MACRO told_date(x) AS CASE WHEN date_of(x) > DATE '1900-01-01' THEN date_of(x) END;

-- The month that a delivery with a manifest, or one asked for by its days, is of; NULL for files given by hand.
CREATE OR REPLACE MACRO delivered_month() AS TRY_CAST(getvariable('delivered_month') AS DATE);

-- The first or second number of a date with slashes.
CREATE OR REPLACE MACRO slashed(x, place) AS TRY_CAST(CASE WHEN contains(x, '/') THEN split_part(trim(x), '/', place) END AS INTEGER);

-- What follows the count of an Azure measure, as the table of units spells it: 'hours' of '100 Hours', 'k/month' of '10 K / Month'.
CREATE OR REPLACE MACRO unit_key(x) AS
    CASE ltrim(trim(x), '0123456789') WHEN '' THEN '-' ELSE lower(translate(ltrim(trim(x), '0123456789'), ' ' || chr(9) || chr(160), '')) END;

-- Is this text a plain or scientific number? The engine alone would also take '1_000'.
CREATE OR REPLACE MACRO is_number(x) AS
    regexp_full_match(trim(CAST(x AS VARCHAR)), '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?');

-- A flat JSON object as a map; NULL when it is none, or has a key twice.
CREATE OR REPLACE MACRO map_of(x) AS TRY_CAST(CASE WHEN json_valid(x) THEN CAST(x AS JSON) END AS MAP(VARCHAR, VARCHAR));

-- Tags as a JSON object: an Enterprise Agreement's come without their braces. NULL where there are none.
CREATE OR REPLACE MACRO braced(x) AS
    CASE
        WHEN starts_with(x, '"') AND ends_with(x, '"') THEN '{' || x || '}'
        WHEN starts_with(x, '{') AND ends_with(x, '}') THEN x
        WHEN blank_to_null(x) IS NULL OR starts_with(trim(x), '{') THEN blank_to_null(x)
        ELSE '{' || rtrim(trim(x), ',') || '}'
    END;

-- A JSON object in its short form, NULL unless its keys differ and none of them holds another object or a list. A brace
-- or bracket may also stand in a text, so only where there is one is the structure looked at, which takes far longer.
CREATE OR REPLACE MACRO flat_object(x) AS
    CASE
        WHEN json_valid(x) THEN CASE
            WHEN len(json_keys(x)) <> list_unique(json_keys(x)) THEN NULL
            WHEN (contains(substr(x, 2), '{') OR contains(x, '[')) AND regexp_matches(json_structure(x), ':[{\[]') THEN NULL
            ELSE CAST(json(x) AS VARCHAR)
        END
    END;

-- What kind of thing an Azure resource id names: what follows its last /providers/ with two names; NULL if there is none.
-- `last` is what follows the very last, as a rule the same and found in a tenth of the time.
CREATE OR REPLACE MACRO kind_of(id, last) AS
    CASE
        WHEN last <> '' AND contains(id, '/providers/') THEN last
        ELSE nullif(regexp_extract(id, '.*/providers/([^/]+/[^/]+)', 1), '')
    END;

-- What is left of a savings plan's commitment: as much of what is really paid for it, where that is told, as was not used.
-- The provider rounds to ten decimals; so does this, in whole numbers, because the engine divides decimals as doubles.
CREATE OR REPLACE MACRO ten_digits(x) AS CAST(x * 10000000000 AS HUGEINT);
CREATE OR REPLACE MACRO unused_part(total, used, paid) AS
    CASE
        WHEN paid = 0 THEN total - used
        WHEN used = 0 OR total = 0 THEN paid
        ELSE paid - CAST((2 * ten_digits(paid) * ten_digits(used) + ten_digits(total)) // (2 * ten_digits(total)) AS DECIMAL(28, 0)) * CAST(0.0000000001 AS DECIMAL(10, 10))
    END;

-- What a row takes, or what the row it takes it from gives up.
CREATE OR REPLACE MACRO signed(x, row_kind) AS CASE row_kind WHEN 'split-counterpart' THEN -x ELSE x END;

-- A decimal as the shortest plain text, which is JSON too.
CREATE OR REPLACE MACRO shortest(x) AS rtrim(rtrim(CAST(x AS VARCHAR), '0'), '.');

-- ContractApplied with one element: what is taken of a commitment, so many of a unit (as JSON), or money where there is none.
CREATE OR REPLACE MACRO applied(contract, commitment, taken, unit) AS
    '{"Elements":[{"ContractId":' || to_json(contract) || ',"ContractCommitmentId":' || to_json(commitment)
    || CASE
        WHEN unit IS NULL THEN ',"ContractCommitmentAppliedCost":' || shortest(taken) || ',"ContractCommitmentAppliedQuantity":null,"ContractCommitmentAppliedUnit":null}]}'
        ELSE ',"ContractCommitmentAppliedCost":null,"ContractCommitmentAppliedQuantity":' || shortest(taken) || ',"ContractCommitmentAppliedUnit":' || unit || '}]}'
    END;

-- The same of a commitment that is its own contract, taken by the hour or in money.
CREATE OR REPLACE MACRO draws_on(commitment, taken, is_hours) AS applied(commitment, commitment, taken, CASE WHEN is_hours THEN '"Hours"' END);

-- The contract of an Azure commitment: the order that its id names, or itself.
CREATE OR REPLACE MACRO contract_of(commitment) AS
    coalesce(nullif(regexp_extract(commitment, '^.*/(reservationorders|savingsplanorders)/[^/]+'), ''), commitment);

-- The months of a term: '36', 'P3Y', '3 Years' or '12 Months'; NULL for anything else.
CREATE OR REPLACE MACRO months_of(term) AS
    CASE
        WHEN regexp_full_match(lower(trim(term)), '\d{1,3}|p?\d{1,3} *m(onths?)?') THEN nullif(TRY_CAST(regexp_extract(term, '\d{1,3}') AS INTEGER), 0)
        WHEN regexp_full_match(lower(trim(term)), 'p?\d{1,2} *y(ears?)?') THEN nullif(12 * TRY_CAST(regexp_extract(term, '\d{1,3}') AS INTEGER), 0)
    END;
