"""Lines of a CUR 2.0 bill with one reservation of two units and one savings plan, both fully used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

RESERVATION = "arn:aws:ec2:us-east-1:1:reserved-instances/r-1"
PLAN = "arn:aws:savingsplans::1:savingsplan/s-1"
DAY = {
    "line_item_usage_start_date": datetime(2026, 1, 5),
    "line_item_usage_end_date": datetime(2026, 1, 5, 23, 59, 59),
}
RI: dict[str, Any] = {"reservation_reservation_a_r_n": RESERVATION}
SP: dict[str, Any] = {"savings_plan_savings_plan_a_r_n": PLAN}
RI_FEE: dict[str, Any] = {
    **RI,
    **DAY,
    "line_item_line_item_type": "RIFee",
    "line_item_unblended_cost": 4.8,
    "line_item_unblended_rate": "0.1000000000",
    "line_item_usage_amount": 48.0,
    "reservation_start_time": "2025-06-01T10:00:01.000Z",
    "reservation_end_time": "2026-06-01T10:00:00.000Z",
    "reservation_upfront_value": 500.0,
}
RI_USED: dict[str, Any] = {
    **RI,
    "line_item_line_item_type": "DiscountedUsage",
    "line_item_unblended_cost": 0.0,
    "line_item_resource_id": "i-1",
    "reservation_effective_cost": 1.5,
    "pricing_public_on_demand_cost": 4.0,
    "pricing_public_on_demand_rate": "2.0",
    "pricing_lease_contract_length": "1yr",
    "pricing_offering_class": "standard",
    "pricing_purchase_option": "Partial Upfront",
}
SP_FEE: dict[str, Any] = {
    **SP,
    "line_item_line_item_type": "SavingsPlanRecurringFee",
    "line_item_usage_start_date": datetime(2026, 1, 5, 7),
    "line_item_usage_end_date": datetime(2026, 1, 5, 8),
    "line_item_unblended_cost": 1.25,
    "line_item_usage_amount": 1.0,
    "line_item_unblended_rate": "",
    "savings_plan_total_commitment_to_date": 1.25,
    "savings_plan_used_commitment": 1.25,
    "savings_plan_start_time": "2025-11-06T20:35:54.000Z",
    "savings_plan_end_time": "2026-11-06T20:35:53.000Z",
    "savings_plan_purchase_term": "1yr",
    "savings_plan_payment_option": "No Upfront",
    "savings_plan_offering_type": "ComputeSavingsPlans",
}
SP_USED: dict[str, Any] = {
    **SP,
    "line_item_line_item_type": "SavingsPlanCoveredUsage",
    "line_item_unblended_cost": 4.0,
    "line_item_unblended_rate": "2.0",
    "savings_plan_savings_plan_effective_cost": 1.25,
    "pricing_public_on_demand_cost": 4.0,
    "pricing_public_on_demand_rate": "2.0",
}
