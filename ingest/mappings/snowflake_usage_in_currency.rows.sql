-- One row per raw line. The negative line for included cloud services is part of the bill: nothing is filtered by IS_ADJUSTMENT.
SELECT
    *,
    'charge' AS x_RowKind,
    '' AS x_Rule,
    true AS x_Keep
FROM raw
