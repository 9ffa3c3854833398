-- One row per raw line, and one per fee of a commitment for what Cost Explorer's amortised cost leaves of it unused.
SELECT
    raw.*,
    coalesce(kind.ChargeCategory, 'Adjustment') AS kind_category,
    coalesce(kind.ChargeFrequency, 'One-Time') AS kind_frequency,
    nullif(kind.PricingCategory, '') AS kind_pricing,
    coalesce(kind.Billed, 'cost') AS billed_rule,
    coalesce(kind.Effective, 'amortized') AS effective_rule,
    coalesce(kind.RowKind, 'charge') AS x_RowKind,
    CASE
        WHEN kind.RowKind <> 'charge' THEN ''
        -- What a plan covers is told at the on-demand price and taken back by a negation: neither is billed.
        WHEN kind.Rule = 'negation' THEN
            CASE WHEN money(NetAmortizedCost) = 0 THEN 'aws-savings-plan-negation-dropped' ELSE 'aws-savings-plan-negation-billed-zero' END
        WHEN kind.Rule = 'plan' THEN 'aws-savings-plan-covered-usage-billed-zero'
        WHEN kind.Rule = 'reservation' THEN 'aws-reservation-covered-usage-billed-zero'
        ELSE ''
    END AS x_Rule,
    CASE WHEN x_RowKind = 'unused-commitment' THEN money(NetAmortizedCost) <> 0 ELSE NOT ends_with(x_Rule, '-dropped') END AS x_Keep
FROM raw
LEFT JOIN aws_cost_explorer_types AS kind ON raw.RecordType = kind.record_type
