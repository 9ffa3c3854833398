-- One row per reservation and savings plan that the view's lines name; ingest.commitments merges those of several files.
WITH line AS (
    SELECT
        coalesce(reservation_reservation_a_r_n <> '', false) AS is_reservation,
        CASE WHEN is_reservation THEN reservation_reservation_a_r_n ELSE savings_plan_savings_plan_a_r_n END AS id,
        line_item_currency_code AS currency,
        instant_of(CASE WHEN is_reservation THEN reservation_start_time ELSE savings_plan_start_time END) AS begins,
        instant_of(CASE WHEN is_reservation THEN reservation_end_time ELSE savings_plan_end_time END) AS last,
        -- Only a fee line tells what was committed to for its own time: hours, or money.
        line_item_line_item_type IN ('RIFee', 'SavingsPlanRecurringFee') AS is_fee,
        CASE WHEN is_reservation THEN line_item_usage_amount ELSE savings_plan_total_commitment_to_date END AS committed,
        CASE
            WHEN second(line_item_usage_end_date) = 59 THEN epoch(line_item_usage_end_date) + 1
            ELSE epoch(line_item_usage_end_date)
        END - epoch(line_item_usage_start_date) AS seconds,
        line_item_unblended_cost AS fee,
        TRY_CAST(nullif(line_item_unblended_rate, '') AS DECIMAL(38, 24)) AS price,
        reservation_upfront_value AS upfront,
        CASE WHEN is_reservation THEN pricing_lease_contract_length ELSE savings_plan_purchase_term END AS length,
        CASE WHEN is_reservation THEN pricing_purchase_option ELSE savings_plan_payment_option END AS payment,
        CASE WHEN is_reservation THEN pricing_offering_class ELSE savings_plan_offering_type END AS offering
    FROM typed
    -- What is paid on the exchange of a reservation names the exchange, which commits to nothing.
    WHERE (reservation_reservation_a_r_n <> '' AND NOT contains(reservation_reservation_a_r_n, ':reserved-instance-exchange/')) OR savings_plan_savings_plan_a_r_n <> ''
), told AS (
    SELECT
        id,
        is_reservation,
        min(currency) AS currency,
        min(begins) AS begins,
        -- A term ends inclusively, a second short of whole days.
        max(CASE WHEN (epoch(last) - epoch(begins) + 1) % 86400 = 0 THEN last + INTERVAL 1 SECOND ELSE last END) AS ends,
        arg_max({'committed': committed, 'seconds': seconds, 'fee': fee, 'price': price}, committed / seconds) FILTER (WHERE is_fee AND committed > 0 AND seconds > 0) AS rate,
        max(upfront) FILTER (WHERE is_fee AND is_reservation) AS upfront,
        max(nullif(offering, '')) AS offering,
        max(nullif(length, '')) AS length,
        max(nullif(payment, '')) AS payment
    FROM line
    GROUP BY ALL
)
SELECT
    id,
    CASE WHEN is_reservation THEN 'Usage' ELSE 'Spend' END AS category,
    CASE WHEN is_reservation THEN 'Reserved Instance' ELSE 'Savings Plan' END AS type,
    currency,
    begins,
    ends,
    amount(rate.committed) AS committed,
    CAST(rate.seconds AS BIGINT) AS seconds,
    amount(rate.fee) AS fee,
    rate.price,
    amount(upfront) AS upfront,
    id AS contract,
    true AS is_drawn_on,
    NULL AS paid,
    offering,
    length,
    payment
FROM told
