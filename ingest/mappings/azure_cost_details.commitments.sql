-- One row per reservation and savings plan that the lines name. A purchase may name the order alone: ingest.commitments gives what it tells to the one reservation or plan of that order.
WITH line AS (
    SELECT
        commitment_id AS id,
        contract_of(commitment_id) AS contract,
        pricing_model = 'savingsplan' AS is_plan,
        is_purchase,
        upper(trim(BillingCurrencyCode)) AS currency,
        date_of("Date") AS day,
        months_of(Term) AS months,
        money(CostInBillingCurrency) AS cost,
        money(Quantity) AS units,
        regexp_full_match(lower(trim(UnitOfMeasure)), '1 *hours?') AS is_hourly,
        is_purchase AND x_Keep AS is_paid,
        is_paid AND charge_type = 'purchase' AND Frequency ILIKE 'onetime' AND cost > 0 AS is_bought,
        is_paid AND charge_type = 'purchase' AND Frequency ILIKE 'recurring' AS is_instalment,
        -- A payment in another currency than the price follows the rate of its month.
        coalesce(upper(blank_to_null(PricingCurrency)), currency) <> currency AS is_converted,
        coalesce(blank_to_null(benefitName), blank_to_null(ReservationName)) AS name,
        blank_to_null(ProductOrderName) AS product,
        CASE WHEN is_purchase THEN CASE WHEN Frequency ILIKE 'recurring' THEN 'paid monthly' WHEN Frequency ILIKE 'onetime' AND charge_type = 'purchase' THEN 'paid at once' END END AS payment
    FROM rows
    WHERE commitment_id <> ''
),
told AS (
    SELECT
        id,
        contract,
        is_plan,
        min(currency) AS currency,
        min(day) FILTER (WHERE is_bought) AS begins,
        max(months) AS months,
        sum(units) FILTER (WHERE is_bought) AS units,
        bool_and(is_hourly) FILTER (WHERE is_bought) AS is_hourly,
        bool_and(is_hourly) FILTER (WHERE NOT is_purchase) AS is_used_hourly,
        bool_or(NOT is_purchase) AS is_drawn_on,
        CASE WHEN count(DISTINCT currency) = 1 THEN sum(cost) FILTER (WHERE is_paid) END AS paid,
        bool_and(is_instalment AND NOT is_converted) FILTER (WHERE is_paid) AND count(DISTINCT day) FILTER (WHERE is_paid) = 1 AS is_one_instalment,
        max(name) AS name,
        max(product) AS product,
        max(payment) AS payment
    FROM line
    GROUP BY ALL
),
-- What stands beside the bill, of a reservation whose lines do not tell how much was bought.
detail AS (
    SELECT reservation, max_by(units, day) AS reserved
    FROM azure_reservation_details
    GROUP BY ALL
)
SELECT
    id,
    CASE WHEN is_plan THEN 'Spend' ELSE 'Usage' END AS category,
    CASE WHEN is_plan THEN 'Savings Plan' ELSE 'Reservation' END AS type,
    currency,
    utc(begins) AS begins,
    utc(begins + to_months(months)) AS ends,
    CASE WHEN NOT is_plan THEN CASE WHEN is_hourly THEN units WHEN is_used_hourly THEN reserved END END AS committed,
    3600 AS seconds,
    NULL AS fee,
    NULL AS price,
    NULL AS upfront,
    contract,
    is_drawn_on,
    -- What was paid at once, with what was given back of it; or equal instalments.
    CASE WHEN begins IS NOT NULL THEN paid WHEN is_one_instalment AND abs(paid) < 100000000000 THEN CAST(paid * months AS DECIMAL(38, 24)) END AS paid,
    name,
    product,
    months || ' months' AS length,
    payment
FROM told
LEFT JOIN detail ON detail.reservation = regexp_extract(id, '[^/]*$')
