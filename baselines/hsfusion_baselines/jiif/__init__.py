"""JIIF: joint implicit image function (Tang et al., ACM MM 2021), carried over to fusion."""
