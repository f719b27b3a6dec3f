function result = blockproc(image, side, work)
    % Apply `work` to the blocks of a matrix, side by side, and put its answers together. MATLAB hands over a struct with
    % the block's `data` and the `location` [row, column] of its first element; Octave's function hands over the matrix.
    rows = 1:side(1):size(image, 1);
    columns = 1:side(2):size(image, 2);
    answers = cell(numel(rows), numel(columns));
    for i = 1:numel(rows)
        for j = 1:numel(columns)
            below = min(rows(i) + side(1) - 1, size(image, 1));
            right = min(columns(j) + side(2) - 1, size(image, 2));
            block = struct('location', [rows(i), columns(j)], 'data', image(rows(i):below, columns(j):right));
            answers{i, j} = work(block);
        end
    end
    result = cell2mat(answers);
end
