function result = cov(x, y)
    % Covariance matrix, 2 x 2, of two vectors. Octave returns their covariance alone, before version 8.
    deviations = [x(:) - mean(x(:)), y(:) - mean(y(:))];
    result = deviations' * deviations / (numel(x) - 1);
end
