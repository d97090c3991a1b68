"""FOCUS bills of any size with known totals, in the clouds' own layouts.

A bill follows from its options alone: the same options give the same rows everywhere, and
:meth:`Bill.totals` says what every dimension adds up to, exactly::

    bill = Bill(BillOptions(cloud="aws", billing_period=date(2026, 9, 1), rows=50_000))
    write_bill(bill, tmp_path)                                      # files in the cloud's columns
    AwsExport(store=store, bucket="bills", name="focus").publish(bill)   # as AWS delivers it
    restated = bill.restate(
        Restatement(style=CorrectionStyle.REPLACE, service="AWS Lambda", day=3)
    )
    assert ingested == restated.totals().total.billed_cost

Needs ``duckdb`` (extra ``cost``), imported when rows are made.
"""

from airflow_multicloud.testing.bills.aws_exports import AwsExport
from airflow_multicloud.testing.bills.azure_exports import AzureExport
from airflow_multicloud.testing.bills.delivery import Delivery, Published
from airflow_multicloud.testing.bills.files import FileOptions, Numbers, WrittenBill, write_bill
from airflow_multicloud.testing.bills.focus_versions import FocusVersion
from airflow_multicloud.testing.bills.generate import Bill, Costs, Totals, open_bill
from airflow_multicloud.testing.bills.options import Anomaly, BillOptions, Restatement

__all__ = [
    "Anomaly",
    "AwsExport",
    "AzureExport",
    "Bill",
    "BillOptions",
    "Costs",
    "Delivery",
    "FileOptions",
    "FocusVersion",
    "Numbers",
    "Published",
    "Restatement",
    "Totals",
    "WrittenBill",
    "open_bill",
    "write_bill",
]
