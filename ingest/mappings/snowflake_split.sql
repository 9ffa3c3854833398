-- A mapped row as its parts: additive figures by their shares, the Allocated columns beside them, all else as it was.
WITH own AS (
    SELECT
        m.*,
        d.slot + split_kind AS slot,
        -- What a commitment gives a row stands inside a text: before the figure, the figure, after it.
        CASE WHEN slot IS NOT NULL THEN split_taken END AS applied_cost,
        -- The mapping knows the short figures of most.
        CASE WHEN slot IS NULL THEN NULL WHEN BilledCost = split_cost THEN CAST(split_short_cost AS DECIMAL(22, 9)) ELSE split_short(slot, BilledCost) END AS short_billed,
        CASE WHEN slot IS NULL THEN NULL WHEN split_short_contracted IS NOT NULL THEN split_short_contracted ELSE split_short(slot, ContractedCost) END AS short_contracted,
        CASE WHEN slot IS NULL THEN NULL WHEN PricingQuantity = split_counted THEN CAST(split_short_counted AS DECIMAL(22, 9)) ELSE split_short(slot, PricingQuantity) END AS short_priced
    FROM mapped AS m
    LEFT JOIN split_days AS d ON m.split_place = d.place AND CASE WHEN m.split_kind IS NOT NULL THEN m.split_day END = d.day
),
-- Most figures of a row are the same as one of these.
figured AS (
    SELECT
        *,
        CASE WHEN EffectiveCost = BilledCost THEN short_billed ELSE split_short(slot, EffectiveCost) END AS short_effective,
        CASE WHEN ListCost = ContractedCost THEN short_contracted ELSE split_short(slot, ListCost) END AS short_list,
        CASE WHEN PricingCurrencyEffectiveCost = BilledCost THEN short_billed ELSE split_short(slot, PricingCurrencyEffectiveCost) END AS short_priced_cost,
        CASE WHEN ConsumedQuantity = PricingQuantity THEN short_priced ELSE split_short(slot, ConsumedQuantity) END AS short_consumed,
        CASE WHEN applied_cost = BilledCost THEN short_billed ELSE split_short(slot, applied_cost) END AS short_applied
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
    LEFT JOIN split_lists AS l ON CASE WHEN t.has_long THEN t.slot END = l.slot
)
SELECT
    o.* EXCLUDE (
        split_kind, split_place, split_day, split_before, split_taken, split_after, split_cost, split_short_cost, split_counted, split_short_counted, split_short_contracted, slot, applied_cost, has_long,
        short_billed, short_priced, short_effective, short_list, short_contracted, short_priced_cost, short_consumed, short_applied,
        long_billed, long_priced, long_effective, long_list, long_contracted, long_priced_cost, long_consumed, long_applied
    )
    REPLACE (
        CAST(split_method(split_kind) AS split_methods) AS AllocatedMethodId,
        CASE WHEN s.slot IS NOT NULL THEN split_details(split_kind, s.units, s.weight, w.mark) WHEN split_kind IS NOT NULL THEN split_unmetered() END AS AllocatedMethodDetails,
        SubAccountId || w.suffix AS AllocatedResourceId,
        w.object_name AS AllocatedResourceName,
        CASE WHEN Tags IS NULL THEN w.object_tags ELSE split_tags_beside(w.object_tags, Tags) END AS AllocatedTags,
        split_part_of(BilledCost, short_billed, long_billed, split_ratio(s.units), s.number) AS BilledCost,
        split_part_of(ConsumedQuantity, short_consumed, long_consumed, split_ratio(s.units), s.number) AS ConsumedQuantity,
        CASE
            WHEN s.units IS NULL OR applied_cost IS NULL THEN ContractApplied
            ELSE split_before || shortest(split_part_of(applied_cost, short_applied, long_applied, split_ratio(s.units), s.number)) || split_after
        END AS ContractApplied,
        split_part_of(ContractedCost, short_contracted, long_contracted, split_ratio(s.units), s.number) AS ContractedCost,
        split_part_of(EffectiveCost, short_effective, long_effective, split_ratio(s.units), s.number) AS EffectiveCost,
        split_part_of(ListCost, short_list, long_list, split_ratio(s.units), s.number) AS ListCost,
        split_part_of(PricingCurrencyEffectiveCost, short_priced_cost, long_priced_cost, split_ratio(s.units), s.number) AS PricingCurrencyEffectiveCost,
        split_part_of(PricingQuantity, short_priced, long_priced, split_ratio(s.units), s.number) AS PricingQuantity
    )
FROM origin AS o
LEFT JOIN split_shares AS s ON o.slot = s.slot
LEFT JOIN split_takers AS w ON s.number = w.number
