"""How long conversations wait for a first answer: a plot.

Open it as a notebook (VS Code, Spyder, jupytext), or run it:

    python examples/response_times.py localhost:50051 response_times.png
"""

# %% Which server, which picture
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

from intercom_extractor import Client

target, picture = sys.argv[1:] if len(sys.argv) == 3 else ("localhost:50051", "response_times.png")

# %% Conversations and their parts, as data frames
with Client(target) as client:
    frames = client.extract(["conversations", "conversation_parts"]).to_pandas(timestamps=True)
conversations, parts = frames["conversations"], frames["conversation_parts"]

# %% The first part of each conversation that an admin wrote
answers = parts[(parts["author_type"] == "admin") & parts["body"].notna()]
first_answers = answers.groupby("conversations_pk")["created_at"].min().rename("answered_at")
waits = conversations.join(first_answers, on="id").dropna(subset=["created_at", "answered_at"])
hours = (waits["answered_at"] - waits["created_at"]).dt.total_seconds() / 3600
hours = hours[hours >= 0].astype(float)
print(f"{len(conversations)} conversations, {len(hours)} with an answer")
print(hours.describe(percentiles=[0.5, 0.9, 0.99]).round(2).to_string())

# %% How they are distributed, and how that changes over the months
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.hist(hours, bins=30, color="#4477aa")
left.axvline(hours.median(), color="#aa3377", label=f"median {hours.median():.1f} h")
left.set(title="Time to the first answer", xlabel="hours", ylabel="conversations")
left.legend()
month = waits.loc[hours.index, "created_at"].astype("datetime64[ns, UTC]").dt.strftime("%Y-%m")
by_month: pd.Series = hours.groupby(month.to_numpy()).median()
right.plot(by_month.index, by_month.to_numpy(), marker=".", color="#4477aa")
right.set(title="Median by month", xlabel="created in", ylabel="hours")
right.set_xticks(range(0, len(by_month), max(1, len(by_month) // 6)))
figure.savefig(picture, dpi=120)
print(f"written to {picture}")
