function window = kaiser(count, beta)
    % Kaiser window of `count` points, as a column; MATLAB's default is beta = 0.5.
    if nargin < 2
        beta = 0.5;
    end
    position = 2 * (0:count - 1)' / (count - 1) - 1;
    window = besseli(0, beta * sqrt(1 - position .^ 2)) / besseli(0, beta);
end
