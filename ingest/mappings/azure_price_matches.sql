-- For every kind of charge in view `unpriced` the one price in view `prices` that fits: of its meter, valid on its day, of
-- its product and the lowest tier, told in its currency or in the one that its invoice has a rate for. Two that fit are none.
WITH wanted AS (
    SELECT DISTINCT * FROM unpriced
), fitting AS (
    SELECT
        w.price_key,
        CASE WHEN p.currency = w.currency THEN p.list_price ELSE product(p.list_price, w.rate) END AS list_price,
        CASE WHEN p.currency = w.currency THEN p.unit_price ELSE product(p.unit_price, w.rate) END AS unit_price,
        rank() OVER (
            PARTITION BY w.price_key
            ORDER BY
                CASE WHEN starts_with(w.sku, p.sku) THEN 0 WHEN w.product = p.product THEN 1 ELSE 2 END,
                p.tier,
                p.valid_from DESC
        ) AS place
    FROM wanted AS w
    JOIN prices AS p ON w.meter = p.meter
    WHERE w.day BETWEEN p.valid_from AND coalesce(p.valid_to, w.day)
        AND (w.part = p.part) IS NOT FALSE
        AND (w.offer = p.offer) IS NOT FALSE
        AND (w.profile = p.profile) IS NOT FALSE
        AND (w.measure = p.measure) IS NOT FALSE
        AND (w.block = p.block) IS NOT FALSE
        AND (w.currency = p.currency OR (w.priced_in = p.currency AND w.rate IS NOT NULL))
), found AS (
    SELECT price_key, count(DISTINCT {'list': list_price, 'unit': unit_price}) AS prices, any_value(list_price) AS list_price, any_value(unit_price) AS unit_price
    FROM fitting
    WHERE place = 1
    GROUP BY 1
)
SELECT
    w.price_key,
    CASE WHEN f.prices = 1 THEN CAST(f.list_price AS VARCHAR) END AS sheet_list,
    CASE WHEN f.prices = 1 THEN CAST(f.unit_price AS VARCHAR) END AS sheet_unit,
    CASE WHEN f.prices > 1 THEN 'several' WHEN coalesce(f.list_price, f.unit_price) IS NULL THEN 'none' ELSE 'one' END AS sheet_told
FROM wanted AS w
LEFT JOIN found AS f ON w.price_key = f.price_key
