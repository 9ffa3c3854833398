-- A mapped row as its parts: additive figures by their shares, the Allocated columns beside them, all else as it was.
WITH own AS (
    SELECT
        *,
        -- What a commitment gives a row stands inside a text: before the figure, the figure, after it.
        CASE WHEN split_kind IS NOT NULL AND ContractApplied IS NOT NULL THEN regexp_extract(ContractApplied, split_applied(), ['before', 'figure', 'after']) END AS applied,
        split_short(split_kind, BilledCost) AS short_billed,
        split_short(split_kind, PricingQuantity) AS short_priced
    FROM mapped
),
-- Most figures of a row are the same as one of these.
figured AS (
    SELECT
        *,
        CAST(nullif(applied.figure, '') AS DECIMAL(38, 24)) AS applied_cost,
        CASE WHEN EffectiveCost = BilledCost THEN short_billed ELSE split_short(split_kind, EffectiveCost) END AS short_effective,
        CASE WHEN ListCost = BilledCost THEN short_billed ELSE split_short(split_kind, ListCost) END AS short_list,
        CASE WHEN ContractedCost = BilledCost THEN short_billed ELSE split_short(split_kind, ContractedCost) END AS short_contracted,
        CASE WHEN PricingCurrencyEffectiveCost = BilledCost THEN short_billed ELSE split_short(split_kind, PricingCurrencyEffectiveCost) END AS short_priced_cost,
        CASE WHEN ConsumedQuantity = PricingQuantity THEN short_priced ELSE split_short(split_kind, ConsumedQuantity) END AS short_consumed,
        CASE WHEN applied_cost = BilledCost THEN short_billed ELSE split_short(split_kind, applied_cost) END AS short_applied
    FROM own
),
told AS (
    SELECT
        *,
        split_is_long(BilledCost, short_billed) OR split_is_long(EffectiveCost, short_effective) OR split_is_long(ListCost, short_list)
        OR split_is_long(ContractedCost, short_contracted) OR split_is_long(PricingCurrencyEffectiveCost, short_priced_cost)
        OR split_is_long(PricingQuantity, short_priced) OR split_is_long(ConsumedQuantity, short_consumed) OR split_is_long(applied_cost, short_applied) AS has_long
    FROM figured
),
origin AS (
    SELECT
        t.*,
        split_long(BilledCost, short_billed, l.parts) AS long_billed,
        split_long(EffectiveCost, short_effective, l.parts) AS long_effective,
        split_long(ListCost, short_list, l.parts) AS long_list,
        split_long(ContractedCost, short_contracted, l.parts) AS long_contracted,
        split_long(PricingCurrencyEffectiveCost, short_priced_cost, l.parts) AS long_priced_cost,
        split_long(PricingQuantity, short_priced, l.parts) AS long_priced,
        split_long(ConsumedQuantity, short_consumed, l.parts) AS long_consumed,
        split_long(applied_cost, short_applied, l.parts) AS long_applied
    FROM told AS t
    LEFT JOIN split_lists AS l
        ON t.split_place = l.place AND t.split_day = l.day AND CASE WHEN t.split_kind IS NOT NULL AND t.has_long THEN t.split_kind END = l.kind
)
SELECT
    o.* EXCLUDE (
        split_kind, split_place, split_day, applied, applied_cost, has_long,
        short_billed, short_priced, short_effective, short_list, short_contracted, short_priced_cost, short_consumed, short_applied,
        long_billed, long_priced, long_effective, long_list, long_contracted, long_priced_cost, long_consumed, long_applied
    )
    REPLACE (
        CASE WHEN split_kind IS NOT NULL THEN coalesce(s.method, split_method(split_kind)) END AS AllocatedMethodId,
        CASE WHEN split_kind IS NOT NULL THEN coalesce(s.details, split_unmetered()) END AS AllocatedMethodDetails,
        SubAccountId || s.object_suffix AS AllocatedResourceId,
        s.object_name AS AllocatedResourceName,
        CASE WHEN Tags IS NULL THEN s.object_tags ELSE split_tags_beside(s.object_tags, Tags) END AS AllocatedTags,
        split_part_of(BilledCost, short_billed, long_billed, s.ratio, s.part) AS BilledCost,
        split_part_of(ConsumedQuantity, short_consumed, long_consumed, s.ratio, s.part) AS ConsumedQuantity,
        CASE
            WHEN s.ratio IS NULL OR applied_cost IS NULL THEN ContractApplied
            ELSE applied.before || shortest(split_part_of(applied_cost, short_applied, long_applied, s.ratio, s.part)) || applied.after
        END AS ContractApplied,
        split_part_of(ContractedCost, short_contracted, long_contracted, s.ratio, s.part) AS ContractedCost,
        split_part_of(EffectiveCost, short_effective, long_effective, s.ratio, s.part) AS EffectiveCost,
        split_part_of(ListCost, short_list, long_list, s.ratio, s.part) AS ListCost,
        split_part_of(PricingCurrencyEffectiveCost, short_priced_cost, long_priced_cost, s.ratio, s.part) AS PricingCurrencyEffectiveCost,
        split_part_of(PricingQuantity, short_priced, long_priced, s.ratio, s.part) AS PricingQuantity
    )
FROM origin AS o
LEFT JOIN split_shares AS s ON o.split_kind = s.kind AND o.split_place = s.place AND o.split_day = s.day
